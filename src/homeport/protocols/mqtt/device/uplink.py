# SPDX-License-Identifier: Apache-2.0
"""The port: one MQTT connection of the device to its upstream, used once.

Rules: QoS 1 unless asked otherwise; the connection never comes back by itself. When it is lost, the
agent decides what to do (ask why, renew, wait) and opens another; so an adapter switches its
library's reconnecting off.
The session is persistent (`clean session` 0), so what a device was told while its link was down
arrives when it is up again. Whoever implements the port passes `tests/contract/
test_uplink_contract.py`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, Self

from homeport.errors import Code, HomeportError

CONNECT_SECONDS: Final = 30.0
"""TCP, TLS with a slow token and log-in through a link of 2 s round trips."""
ACKNOWLEDGE_SECONDS: Final = 20.0
"""For PUBACK and SUBACK: some retransmissions of a weak link."""
KEEP_ALIVE_SECONDS: Final = 60
"""NATs forget quiet connections after some minutes; the broker gives up after 1.5 of these."""
PING_SECONDS: Final = 15
"""Longest wait for a ping's answer before the connection counts as lost."""
DISCONNECT_SECONDS: Final = 3.0

Handler = Callable[[str, bytes], None]
"""(topic, payload); called in the event loop, must not block."""

_PROXY: Final = re.compile(
    r"http://(?:(?P<user>[^:@/]*):(?P<password>[^@/]*)@)?(?P<host>\[[^]]+\]|[^:/@]+):(?P<port>\d+)/?"
)


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for the device when its connection breaks; retained."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that lets CONNECT through (RFC 9110 section 9.3.6)."""

    host: str
    port: int
    authorization: str | None = None
    """"user:password" for Basic, if it asks for any."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `http://[user:password@]host:port`; HomeportError(SETTING_WRONG) if it is none."""
        found = _PROXY.fullmatch(url)
        if not found or not 0 < int(found["port"]) < 65536:  # noqa: PLR2004 - ports
            raise HomeportError(Code.SETTING_WRONG, "a proxy is http://[user:password@]host:port")
        user = f"{found['user']}:{found['password']}" if found["user"] is not None else None
        return cls(found["host"].strip("[]"), int(found["port"]), user)

    def __repr__(self) -> str:
        return f"Proxy({self.host}:{self.port})"


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkSettings:
    """Where to, as whom, and what to trust."""

    host: str
    """Address or name to dial."""
    port: int
    server_name: str
    """Name that the broker's certificate must carry, whatever was dialled."""
    anchors: bytes
    """PEM: trust anchors for the broker; nothing else is trusted."""
    certificate: bytes
    """PEM: LDevID and its chain, leaf first."""
    key_uri: str
    """Its private key: `file:` or `pkcs11:`."""
    client_id: str
    """The device's id."""
    will: Will
    websocket_path: str | None = None
    """MQTT in a WebSocket at this path; None: MQTT on TLS."""
    proxy: Proxy | None = None


class Uplink(Protocol):
    """One connection.

    Methods raise HomeportError: UPSTREAM_UNREACHABLE (try again), UPSTREAM_REFUSED (the broker says
    no: ask the platform why), PLATFORM_UNPROVEN (it is not who it should be), or
    KEY_STORE_UNAVAILABLE and its like for our own key.
    """

    async def connect(self) -> None:
        """Open it: TCP, TLS with our certificate, log-in."""
        ...

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send; return when the broker has it."""
        ...

    async def subscribe(self, pattern: str, handler: Handler, *, qos: int = 1) -> None:
        """Hear what matches from now on, and what waited in the session.

        QoS 0 is for what is retained: nothing waits while the link is down, and the broker has
        nothing to keep. UPSTREAM_REFUSED: it is not permitted, or could not be kept.
        """
        ...

    async def lost(self) -> str:
        """Wait until the connection is lost; return the reason. Our own disconnect is none."""
        ...

    async def disconnect(self) -> None:
        """Say good-bye (the will is not spoken) and close; harmless when it is closed already."""
        ...
