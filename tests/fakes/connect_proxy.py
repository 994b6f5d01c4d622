# SPDX-License-Identifier: Apache-2.0
"""A small HTTP proxy that lets CONNECT through and asks for a password.

As a process for the gateway of a closed network: `python connect_proxy.py ADDRESS PORT
USER:PASSWORD ALLOWED…` lets only the allowed ports through; it prints "ready", then its targets.
"""

import asyncio
import base64
import sys
from collections.abc import Collection
from contextlib import suppress
from types import TracebackType
from typing import Self


class ConnectProxy:
    """Listens inside its block; remembers where it was asked to connect to."""

    def __init__(
        self,
        authorization: str,
        at: tuple[str, int] = ("127.0.0.1", 0),
        allowed: Collection[str] | None = None,
    ) -> None:
        self._expected = base64.b64encode(authorization.encode())
        self._allowed = allowed
        self._address, self.port = at
        self.targets: list[str] = []
        self._far: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._address, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()

    def cut(self) -> None:
        """End every connection with a reset, as a network that breaks."""
        for writer in self._far:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"Proxy-Authorization: Basic " + self._expected + b"\r\n" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            writer.close()
            return
        target = head.split(b" ")[1].decode()
        self.targets.append(target)
        host, _, port = target.rpartition(":")
        if self._allowed is not None and port not in self._allowed:
            writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        self._far.add(far_writer)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while octets := await source.read(65536):
            sink.write(octets)
            await sink.drain()
    sink.close()


async def main() -> None:
    address, port, authorization, *allowed = sys.argv[1:]
    async with ConnectProxy(authorization, (address, int(port)), allowed) as proxy:
        sys.stdout.write("ready\n")
        told = 0
        while True:
            sys.stdout.write("".join(f"{target}\n" for target in proxy.targets[told:]))
            sys.stdout.flush()
            told = len(proxy.targets)
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main())
