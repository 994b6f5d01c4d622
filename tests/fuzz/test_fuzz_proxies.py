# SPDX-License-Identifier: Apache-2.0
"""Fuzz targets for what proxies say: to devices that want a tunnel, and of who is behind them."""

import asyncio
import io
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final, cast

from fuzz.mutate import fuzz
from homeport.errors import HomeportError
from homeport.http.source import UNKNOWN, peer_address, source_of
from homeport.protocols.mqtt.device import tunnel
from homeport.protocols.mqtt.device.uplink import Proxy as MqttProxy
from homeport.protocols.native.device.transport import Proxy, Route, TlsConnection

CORPUS: Final = Path(__file__).parent / "corpus"
PROXY: Final = "192.0.2.1"


class _Wire:
    """A socket, or a stream's writer, that swallows what is sent and says what it was given."""

    def __init__(self, said: bytes = b"") -> None:
        self._said = io.BytesIO(said)

    def write(self, octets: bytes) -> None:
        """Swallow."""

    sendall = write

    def recv(self, count: int) -> bytes:
        return self._said.read(count)

    def settimeout(self, seconds: float) -> None:
        """Nothing here waits."""


def ask_by_native(answer: bytes) -> None:
    connection = TlsConnection()
    connection.set_timeout(60)
    connection._hold(cast("Any", _Wire(answer)))
    connection._open_tunnel(Route("platform.example", 443), Proxy(PROXY, 3128))


def test_answers_to_the_native_protocol() -> None:
    corpus = CORPUS / "proxy-answer"
    assert fuzz(ask_by_native, corpus, allowed=(ConnectionError,)) > 0


def test_answers_to_mqtt() -> None:
    async def ask(answer: bytes) -> None:
        reader = asyncio.StreamReader(limit=4096)
        reader.feed_data(answer)
        reader.feed_eof()
        proxy = MqttProxy(PROXY, 3128)
        await tunnel._ask(reader, cast("Any", _Wire()), "platform.example:443", proxy)

    with asyncio.Runner() as runner:
        target = lambda answer: runner.run(ask(answer))  # noqa: E731
        assert fuzz(target, CORPUS / "proxy-answer", allowed=(HomeportError,)) > 0


def test_addresses_that_proxies_forward() -> None:
    proxies = [ip_network("192.0.2.0/24")]

    def forward(octets: bytes) -> None:
        lines = [(b"x-forwarded-for", line) for line in octets.split(b"\n")]
        address = peer_address({"client": (PROXY, 1), "headers": lines}, proxies)
        ip_address(address)  # an address, whatever was written
        assert source_of(address) != UNKNOWN

    assert fuzz(forward, CORPUS / "forwarded", allowed=()) > 0
