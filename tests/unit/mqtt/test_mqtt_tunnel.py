# SPDX-License-Identifier: Apache-2.0
"""The tunnel dials before anybody has come to it, and leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from fakes.in_loop import in_loop
from homeport.errors import Code, HomeportError
from homeport.protocols.mqtt.device.tunnel import Tunnel


class FarEnd:
    """Greets who comes, and notices when they go."""

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self.went = asyncio.Event()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came.set()
        writer.write(b"hello")
        with suppress(ConnectionResetError):
            await reader.read()
        writer.close()
        self.went.set()


@asynccontextmanager
async def far_end() -> AsyncIterator[FarEnd]:
    end = FarEnd()
    server = await asyncio.start_server(end.serve, "127.0.0.1", 0)
    end.port = server.sockets[0].getsockname()[1]
    try:
        yield end
    finally:
        server.close()


@in_loop
async def test_it_dials_at_once_and_hangs_up_if_nobody_comes():
    async with asyncio.timeout(5), far_end() as far:
        tunnel = await Tunnel("127.0.0.1", far.port, None, by_connect=False).open()
        await far.came.wait()
        await tunnel.close()
        await far.went.wait()


@in_loop
async def test_what_comes_later_is_led_through():
    async with asyncio.timeout(5), far_end() as far:
        tunnel = await Tunnel("127.0.0.1", far.port, None, by_connect=False).open()
        await far.came.wait()
        reader, writer = await asyncio.open_connection("127.0.0.1", tunnel.port)
        assert await reader.readexactly(5) == b"hello"
        await tunnel.close()
        await far.went.wait()
        writer.close()


@in_loop
async def test_a_dead_end_is_told_when_somebody_comes():
    async with asyncio.timeout(5):
        async with far_end() as far:
            port = far.port
        tunnel = await Tunnel("127.0.0.1", port, None, by_connect=False).open()
        reader, writer = await asyncio.open_connection("127.0.0.1", tunnel.port)
        assert await reader.read() == b""
        writer.close()
        await tunnel.close()
        assert isinstance(tunnel.error, HomeportError)
        assert tunnel.error.code is Code.UPSTREAM_UNREACHABLE


@in_loop
async def test_it_can_be_closed_while_it_dials(monkeypatch: pytest.MonkeyPatch):
    from homeport.protocols.mqtt.device import tunnel as module

    async def never(*_: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(module, "dial", never)
    async with asyncio.timeout(5):
        tunnel = await Tunnel("192.0.2.1", 8883, None, by_connect=True).open()
        await tunnel.close()
