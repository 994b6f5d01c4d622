# SPDX-License-Identifier: Apache-2.0
"""A link to the other side: whole frames over any byte stream.

The port has three methods, so that a Bluetooth characteristic is one as TCP is. `StreamLink` is the
link over asyncio's streams.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final, Protocol

from homeport.errors import Code, HomeportError
from homeport.protocols.dpp.wire.framer import Framer, enclose

READ_BYTES: Final = 4_096
"""A usual configuration response arrives in one piece."""
FRAME_TIMEOUT: Final = 20.0
"""Seconds to wait for the other side: it computes for 50 ms, but a phone's link may stall."""
CLOSE_TIMEOUT: Final = 2.0
"""Seconds for what was sent to arrive; who does not read by then gets no more."""


class Link(Protocol):
    """Whole frames, both ways."""

    async def send(self, frame: bytes) -> None:
        """Send a frame; raise DPP_LINK_LOST."""
        ...

    async def receive(self, timeout: float) -> bytes:  # noqa: ASYNC109 (the port is the limit)
        """Return the next frame; raise DPP_LINK_LOST after so many seconds, or MalformedError."""
        ...

    def mark_authenticated(self) -> None:
        """Take note that the other side is no stranger any more."""
        ...


class StreamLink:
    """A link over a pair of asyncio streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the streams; `close` closes them."""
        self._reader: Final = reader
        self._writer: Final = writer
        self._framer: Final = Framer()
        self._frames: Final[deque[bytes]] = deque()
        self.is_authenticated = False
        self.sent = 0
        """Bytes, with the lengths."""
        self.received = 0

    async def send(self, frame: bytes) -> None:
        """Send a frame; raise DPP_LINK_LOST."""
        octets = enclose(frame)
        try:
            async with asyncio.timeout(FRAME_TIMEOUT):
                self._writer.write(octets)
                await self._writer.drain()
        except OSError as error:  # TimeoutError is one
            raise _lost(error) from None
        self.sent += len(octets)

    async def receive(self, timeout: float = FRAME_TIMEOUT) -> bytes:  # noqa: ASYNC109
        """Return the next frame; raise DPP_LINK_LOST or MalformedError."""
        try:
            async with asyncio.timeout(timeout):
                while not self._frames:
                    self._frames.extend(self._framer.feed(await self._read()))
        except OSError as error:
            raise _lost(error) from None
        return self._frames.popleft()

    def mark_authenticated(self) -> None:
        """Take note that the other side is no stranger any more."""
        self.is_authenticated = True

    @property
    def address(self) -> str:
        """The other side's, without port; empty if it is gone already."""
        peer: tuple[str, int] | None = self._writer.get_extra_info("peername")
        return peer[0] if peer else ""

    async def close(self) -> None:
        """Close the streams; what was sent still arrives, if the other side reads it in time."""
        self._writer.close()
        try:
            with suppress(OSError):  # TimeoutError is one
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await self._writer.wait_closed()
        finally:
            self.abort()

    def abort(self) -> None:
        """Close at once; what was not sent yet is lost."""
        self._writer.transport.abort()

    async def _read(self) -> bytes:
        piece = await self._reader.read(READ_BYTES)
        if not piece:
            raise HomeportError(Code.DPP_LINK_LOST, "the other side closed the connection")
        self.received += len(piece)
        return piece


def _lost(error: OSError) -> HomeportError:
    reason = "nothing came in time" if isinstance(error, TimeoutError) else error.strerror
    return HomeportError(Code.DPP_LINK_LOST, reason or type(error).__name__)
