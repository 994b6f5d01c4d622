# SPDX-License-Identifier: Apache-2.0
"""A loopback port that leads to one address, maybe through an HTTP proxy, for one connection.

Why: neither MQTT library can dial one address and verify another name, and paho knows no HTTP
proxy. They connect here; TLS goes through end to end, so whoever else connects here gains nothing.
`awscrt` asks by CONNECT, as it would ask a proxy; paho just begins.
"""

import asyncio
import base64
import contextlib
from typing import Final, Self

from homeport.errors import Code, HomeportError
from homeport.protocols.mqtt.device.uplink import CONNECT_SECONDS, DISCONNECT_SECONDS, Proxy

_HEAD_MAX: Final = 16 * 1024
"""Bytes of a proxy's answer; some explain at length."""
_CHUNK: Final = 64 * 1024

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Tunnel:
    """Listens at `port` between `open` and `close`."""

    def __init__(self, host: str, port: int, proxy: Proxy | None, *, by_connect: bool) -> None:
        """Take where it leads; `by_connect`: our side asks by HTTP CONNECT first."""
        self._target = (host, port)
        self._proxy = proxy
        self._by_connect = by_connect
        self._server: asyncio.Server | None = None
        self._ends: list[asyncio.StreamWriter] = []
        self._dialling: asyncio.Task[_Streams] | None = None
        self._done = asyncio.Event()
        self._done.set()
        self.port = 0
        self.error: HomeportError | None = None
        """Why the way is closed, if it is."""

    async def open(self) -> Self:
        """Listen; the far end is dialled at once, while our side gets ready to connect."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._dialling = asyncio.create_task(self._dial(), name="tunnel: dialling")
        # Let the first packet go: the library keeps the interpreter for itself when it starts.
        await asyncio.sleep(0)
        return self

    async def close(self) -> None:
        """End everything."""
        if self._server:
            self._server.close()
        if self._dialling:
            self._dialling.cancel()
            (found,) = await asyncio.gather(self._dialling, return_exceptions=True)
            if isinstance(found, tuple):
                self._ends.append(found[1])
        for end in self._ends:
            end.transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DISCONNECT_SECONDS):
                await self._done.wait()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._ends:  # the one connection is there already
            writer.close()
            return
        self._ends.append(writer)
        self._done.clear()
        try:
            await self._serve(reader, writer)
        except HomeportError as error:
            self.error = error
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            self.error = HomeportError(Code.UPSTREAM_UNREACHABLE, "the tunnel broke")
        finally:
            for end in self._ends:
                end.close()
            self._done.set()

    async def _dial(self) -> _Streams:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await dial(*self._target, self._proxy)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._dialling is None:
            return
        async with asyncio.timeout(CONNECT_SECONDS):
            if self._by_connect:
                await reader.readuntil(b"\r\n\r\n")
            far_reader, far_writer = await self._dialling
        self._ends.append(far_writer)
        if self._by_connect:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        async with asyncio.TaskGroup() as group:
            group.create_task(_pump(reader, far_writer), name="tunnel out")
            group.create_task(_pump(far_reader, writer), name="tunnel in")


async def dial(host: str, port: int, proxy: Proxy | None) -> _Streams:
    """Connect, through the proxy if there is one; HomeportError(UPSTREAM_UNREACHABLE)."""
    try:
        if proxy is None:
            return await asyncio.open_connection(host, port)
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port, limit=_HEAD_MAX)
    except OSError as error:
        raise HomeportError(Code.UPSTREAM_UNREACHABLE, f"{host}:{port}: {error}") from error
    try:
        await _ask(reader, writer, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", proxy)
    except BaseException:
        writer.close()
        raise
    return reader, writer


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str, proxy: Proxy
) -> None:
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.authorization is not None:
        basic = base64.b64encode(proxy.authorization.encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {basic}")
    writer.write("\r\n".join([*lines, "", ""]).encode())
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
        raise HomeportError(Code.UPSTREAM_UNREACHABLE, f"{proxy}: no answer") from error
    status = head.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(status) < 2 or not status[0].startswith(b"HTTP/1.") or status[1] != b"200":  # noqa: PLR2004
        said = head.split(b"\r\n", 1)[0][:80].decode(errors="replace")
        raise HomeportError(Code.UPSTREAM_UNREACHABLE, f"{proxy} refused {target}: {said}")


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while octets := await source.read(_CHUNK):
            sink.write(octets)
            await sink.drain()
    sink.close()
