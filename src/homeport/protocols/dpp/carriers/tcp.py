# SPDX-License-Identifier: Apache-2.0
"""The TCP carrier, port 8908 (Wi-Fi Easy Connect release 2: Controller and Enrollee over TCP)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from homeport.errors import Code, HomeportError
from homeport.protocols.dpp.carriers.link import StreamLink
from homeport.protocols.dpp.wire.vocabulary import TCP_PORT

CONNECT_TIMEOUT: Final = 10.0
"""Seconds; on a LAN it takes a millisecond, and a name has to be looked up first."""
LINKS_MAX: Final = 8
"""At one time: two installers with phones that reconnect, and some strangers."""
LINKS_PER_ADDRESS: Final = 2
"""At one time: the one in use, and the one before it that nobody has closed yet."""
AUTHENTICATION_TIMEOUT: Final = 10.0
"""Seconds; it takes two round trips and 100 ms of arithmetic."""

Handler = Callable[[StreamLink], Awaitable[None]]


@asynccontextmanager
async def connect(host: str, port: int = TCP_PORT) -> AsyncIterator[StreamLink]:
    """Connect to the other side; raise DPP_LINK_LOST if it cannot be reached.

    `host` may be a link-local IPv6 address with its interface (`fe80::1%eth0`).
    """
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, UnicodeError) as error:  # a name that DNS cannot hold is a UnicodeError
        strerror = getattr(error, "strerror", None)
        reason = f"{host} port {port}: {strerror or 'no answer'}"
        raise HomeportError(Code.DPP_LINK_LOST, reason) from None
    link = StreamLink(reader, writer)
    try:
        yield link
    finally:
        await link.close()


@asynccontextmanager
async def listen(
    handler: Handler, host: str | None = None, port: int = TCP_PORT
) -> AsyncIterator[int]:
    """Handle each connection while the block lasts; yield the port (0 asks for a free one).

    `handler` runs one exchange and deals with its failures; the link is closed behind it. A link
    that is not authenticated in time, or whose place another one needs, is closed under it. What
    is still running at the end of the block is cancelled. Raise PORT_OCCUPIED.
    """
    room, tasks = _Room(), set[asyncio.Task[None]]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link, task = StreamLink(reader, writer), asyncio.current_task()
        if task is None or not room.enter(link):
            link.abort()
            return
        tasks.add(task)
        try:
            with suppress(asyncio.CancelledError):  # the end of the block; 3.11 would print it
                await _serve(link, room, handler)
        finally:
            tasks.discard(task)

    try:
        server = await asyncio.start_server(handle, host, port)
    except OSError as error:
        raise HomeportError(Code.PORT_OCCUPIED, f"port {port}: {error.strerror}") from None
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            running = tuple(tasks)
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def _serve(link: StreamLink, room: "_Room", handler: Handler) -> None:
    loop = asyncio.get_running_loop()
    timer = loop.call_later(AUTHENTICATION_TIMEOUT, room.drop_stranger, link)
    try:
        await handler(link)
    finally:
        timer.cancel()
        try:
            await link.close()
        finally:
            room.leave(link)


class _Room:
    """The places for links: who is authenticated stays, strangers make way for who comes."""

    def __init__(self) -> None:
        self._links: Final[list[StreamLink]] = []

    def enter(self, link: StreamLink) -> bool:
        """Give the link a place, if need be the oldest stranger's; return whether there was one."""
        same = [each for each in self._links if each.address == link.address]
        if len(same) >= LINKS_PER_ADDRESS:
            has_place = self._drop_oldest(same)
        else:
            has_place = len(self._links) < LINKS_MAX or self._drop_oldest(self._links)
        if has_place:
            self._links.append(link)
        return has_place

    def leave(self, link: StreamLink) -> None:
        """Take the link's place back."""
        if link in self._links:
            self._links.remove(link)

    def drop_stranger(self, link: StreamLink) -> None:
        """Close the link and take its place back, unless it is authenticated."""
        if not link.is_authenticated:
            link.abort()
            self.leave(link)

    def _drop_oldest(self, links: Sequence[StreamLink]) -> bool:
        stranger = next((each for each in links if not each.is_authenticated), None)
        if stranger is not None:
            self.drop_stranger(stranger)
        return stranger is not None
