# SPDX-License-Identifier: Apache-2.0
"""A browser's EventSource, as far as tests need one: over a real socket, blocking on nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class EventReader:
    """One stream that is open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.status = 0
        self.head = ""
        self.last_id: str | None = None
        self._text = b""

    async def open(self, path: str, headers: dict[str, str]) -> None:
        lines = [f"GET {path} HTTP/1.1", "host: platform.test", "accept: text/event-stream"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        await self._writer.drain()
        self.head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        self.status = int(self.head.split()[1])

    async def _chunk(self) -> bytes:
        """The next piece of the chunked body; empty at its end."""
        size = int(await self._reader.readline(), 16)
        piece = await self._reader.readexactly(size)
        await self._reader.readline()
        return piece

    async def said(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Name and data of each event, until the stream ends."""
        while True:
            while b"\n\n" in self._text:
                block, _, self._text = self._text.partition(b"\n\n")
                fields = dict(line.split(": ", 1) for line in block.decode().split("\n"))
                self.last_id = fields.get("id", self.last_id)
                if "data" in fields:
                    yield fields["event"], json.loads(fields["data"])
            piece = await self._chunk()
            if not piece:
                return
            self._text += piece

    async def take(self, count: int, seconds: float = 10) -> list[int]:
        """Cursors of the next events."""
        found: list[int] = []
        async with asyncio.timeout(seconds):
            async for name, data in self.said():
                assert name == data["name"]
                found.append(data["cursor"])
                if len(found) == count:
                    break
        return found

    async def end(self, seconds: float = 15) -> tuple[list[int], str]:
        """What is said until the end, and the reason for it."""
        found: list[int] = []
        async with asyncio.timeout(seconds):
            async for name, data in self.said():
                if name == "end":
                    return found, data["reason"]
                found.append(data["cursor"])
        return found, ""

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def event_reader(port: int, path: str, **headers: str) -> AsyncIterator[EventReader]:
    """Open a stream of a door without TLS."""
    reader = EventReader(*await asyncio.open_connection("127.0.0.1", port))
    try:
        await reader.open(path, {k.replace("_", "-"): v for k, v in headers.items()})
        yield reader
    finally:
        reader.close()
