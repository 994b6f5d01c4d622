# SPDX-License-Identifier: Apache-2.0
"""Strangers at the door: many, silent, and deaf; who can read the label gets in all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from fakes.dpp_sides import enrol, new_key
from fakes.dpp_talk import WIFI
from homeport.errors import HomeportError
from homeport.protocols import dpp
from homeport.protocols.dpp.carriers import link as links
from homeport.protocols.dpp.carriers import tcp
from homeport.protocols.dpp.carriers.link import StreamLink
from homeport.protocols.dpp.carriers.run import Given, run_configurator
from homeport.protocols.dpp.carriers.tcp import (
    LINKS_MAX,
    LINKS_PER_ADDRESS,
    Handler,
    connect,
    listen,
)

LIMIT = 5.0
MUCH = 20_000_000
"""Bytes: more than sockets hold for who does not read."""


class Door:
    """A listener, and strangers that knock one after the other."""

    def __init__(self, *, is_trusting: bool = False) -> None:
        self.entered = asyncio.Semaphore(0)
        self.is_trusting = is_trusting
        self.port = 0

    async def handle(self, link: StreamLink) -> None:
        if self.is_trusting:
            link.mark_authenticated()
        self.entered.release()
        with pytest.raises(HomeportError):
            await link.receive()

    async def knock(self, stack: AsyncExitStack, number: int) -> asyncio.StreamReader:
        """Connect from the address of that number, and wait until the door has noticed."""
        reader = await stranger(stack, self.port, number)
        await self.entered.acquire()
        return reader


async def stranger(stack: AsyncExitStack, port: int, number: int) -> asyncio.StreamReader:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, local_addr=(f"127.0.1.{number}", 0)
    )
    stack.callback(_abort, writer)  # which keeps it: without its writer it would close
    return reader


def _abort(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@asynccontextmanager
async def opened(door: Door) -> AsyncIterator[AsyncExitStack]:
    async with asyncio.timeout(LIMIT), listen(door.handle, "127.0.0.1", 0) as port:
        door.port = port
        async with AsyncExitStack() as stack:
            yield stack


def test_the_oldest_stranger_makes_way():
    async def crowd() -> None:
        door = Door()
        async with opened(door) as stack:
            crowd = [await door.knock(stack, number) for number in range(1, LINKS_MAX + 1)]
            await door.knock(stack, LINKS_MAX + 1)
            assert await crowd[0].read() == b""
            assert not any(each.at_eof() for each in crowd[1:])

    asyncio.run(crowd())


def test_who_is_authenticated_stays():
    async def crowd() -> None:
        door = Door(is_trusting=True)
        async with opened(door) as stack:
            crowd = [await door.knock(stack, number) for number in range(1, LINKS_MAX + 1)]
            late = await stranger(stack, door.port, LINKS_MAX + 1)
            assert await late.read() == b""
            assert not any(each.at_eof() for each in crowd)

    asyncio.run(crowd())


def test_an_address_has_few_places():
    async def crowd() -> None:
        door = Door()
        async with opened(door) as stack:
            other = await door.knock(stack, 2)
            crowd = [await door.knock(stack, 1) for _ in range(LINKS_PER_ADDRESS + 1)]
            assert await crowd[0].read() == b""
            assert not any(each.at_eof() for each in (other, *crowd[1:]))

    asyncio.run(crowd())


def test_strangers_do_not_keep_an_installer_out():
    async def crowd() -> object:
        key = new_key()
        configured: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        async def device(link: StreamLink) -> None:
            try:
                result = await enrol(link, dpp.Enrollee(dpp.Responder(key)))
            except HomeportError:
                return
            assert link.is_authenticated
            configured.set_result(result)

        async def answer(_asked: dpp.Asked) -> Given:
            return Given((WIFI,))

        async with (
            asyncio.timeout(LIMIT),
            listen(device, "127.0.0.1", 0) as port,
            AsyncExitStack() as stack,
        ):
            for number in range(1, 2 * LINKS_MAX):
                await stranger(stack, port, number)
            async with connect("127.0.0.1", port) as link:
                configurator = dpp.Configurator(dpp.Initiator(key.public_key()))
                await run_configurator(link, configurator, answer)
                assert link.is_authenticated
            return await configured

    assert isinstance(asyncio.run(crowd()), dpp.Configured)


def test_a_stranger_has_little_time(monkeypatch):
    monkeypatch.setattr(tcp, "AUTHENTICATION_TIMEOUT", 0.01)

    async def wait() -> None:
        door = Door()
        async with opened(door) as stack:
            reader = await door.knock(stack, 1)
            assert await reader.read() == b""

    asyncio.run(wait())


async def shout(link: StreamLink) -> None:
    """Send more than a deaf one takes, and leave."""
    link._writer.write(bytes(MUCH))


async def shout_on(link: StreamLink) -> None:
    """Send more than a deaf one takes, and wait until he does."""
    link._writer.write(bytes(MUCH))
    await link._writer.drain()


@pytest.mark.parametrize("shouter", [shout, shout_on])
def test_a_deaf_one_does_not_keep_the_listener(shouter: Handler, monkeypatch):
    monkeypatch.setattr(links, "CLOSE_TIMEOUT", 0.05)
    entered = asyncio.Event()

    async def handle(link: StreamLink) -> None:
        entered.set()
        await shouter(link)

    async def meet() -> None:
        async with (
            asyncio.timeout(LIMIT),
            AsyncExitStack() as stack,
            listen(handle, "127.0.0.1", 0) as port,
        ):
            reader = await stranger(stack, port, 1)
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            await entered.wait()

    asyncio.run(meet())


def test_a_deaf_one_does_not_keep_who_connects(monkeypatch):
    monkeypatch.setattr(links, "CLOSE_TIMEOUT", 0.05)

    async def deaf(link: StreamLink) -> None:
        link._writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async def meet() -> None:
        async with (
            asyncio.timeout(LIMIT),
            listen(deaf, "127.0.0.1", 0) as port,
            connect("127.0.0.1", port) as link,
        ):
            await shout(link)

    asyncio.run(meet())


def test_the_end_of_the_block_is_silent():
    """Python 3.11 prints the traceback of a handler that was cancelled."""
    printed: list[object] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: printed.append(context))
        entered = asyncio.Event()

        async def handle(_link: StreamLink) -> None:
            entered.set()
            await asyncio.Event().wait()

        async with AsyncExitStack() as stack, listen(handle, "127.0.0.1", 0) as port:
            await stranger(stack, port, 1)
            await entered.wait()

    asyncio.run(run())
    assert printed == []
