# SPDX-License-Identifier: Apache-2.0
"""The TCP carrier, port 8908 (Wi-Fi Easy Connect release 2: Controller and Enrollee over TCP)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from homeport.errors import Code, HomeportError
from homeport.protocols.dpp.carriers.link import StreamLink
from homeport.protocols.dpp.wire.vocabulary import TCP_PORT

CONNECT_TIMEOUT: Final = 10.0
"""Seconds; on a LAN it takes a millisecond, and a name has to be looked up first."""
LINKS_MAX: Final = 8
"""At one time: two installers with phones that reconnect. The rest is closed at once."""

Handler = Callable[[StreamLink], Awaitable[None]]


@asynccontextmanager
async def connect(host: str, port: int = TCP_PORT) -> AsyncIterator[StreamLink]:
    """Connect to the other side; raise DPP_LINK_LOST if it cannot be reached.

    `host` may be a link-local IPv6 address with its interface (`fe80::1%eth0`).
    """
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            reader, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        reason = f"{host} port {port}: {error.strerror or 'no answer'}"
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

    `handler` runs one exchange and deals with its failures; the link is closed behind it. What is
    still running at the end of the block is cancelled. Raise PORT_OCCUPIED.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link, task = StreamLink(reader, writer), asyncio.current_task()
        if len(tasks) >= LINKS_MAX or task is None:
            await link.close()
            return
        tasks.add(task)
        try:
            await handler(link)
        finally:
            tasks.discard(task)
            await link.close()

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
