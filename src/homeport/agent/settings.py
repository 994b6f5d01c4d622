# SPDX-License-Identifier: Apache-2.0
"""The agent's settings (agent.toml). None is needed: the device's identity says the rest."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from homeport.settings import Between

SETTINGS_FILE: Final = Path("/etc/homeport/agent.toml")
"""Read if it is there and no other is named."""

USUAL_SOCKET: Final = Path("/run/homeport/agent.sock")
"""Where deploy/homeport-agent.service lets the agent make it."""


class Transport(StrEnum):
    """How messages travel."""

    AUTO = "auto"  # as the platform lists its endpoints
    MQTT = "mqtt"  # TLS on TCP
    WEBSOCKET = "mqtt-websocket"  # for networks that let only HTTPS through


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class LogSettings:
    """What is logged."""

    level: str = "info"
    """debug, info, warning or error."""
    format: LogFormat = LogFormat.TEXT
    """Lines for people, or one JSON object a line."""

    def __post_init__(self) -> None:
        """Refuse what is no level."""
        if self.level not in {"debug", "info", "warning", "error"}:
            raise ValueError(f"{self.level!r} is not debug, info, warning or error")


@dataclass(frozen=True)
class DiscoverySettings:
    """Where the platform is looked for, unless its address is set."""

    interfaces: tuple[str, ...] = ()
    """Network interfaces to ask on; empty: all that have a link."""
    dhcp: bool = True
    """Ask DHCP servers for options 143 and 136."""
    dns_sd: bool = True
    """Look for edges on the LAN by DNS-SD."""
    announce: bool = True
    """Tell edges and tools on the LAN of a device that found no platform it can verify."""


@dataclass(frozen=True)
class RestSettings:
    """How long the agent rests before it tries again; each wait is shortened by up to a half."""

    first: Annotated[timedelta, Between(timedelta(milliseconds=1), timedelta(hours=1))] = timedelta(
        seconds=2
    )
    """After the first failure; doubled after each."""
    ceiling: Annotated[timedelta, Between(timedelta(milliseconds=1), timedelta(days=1))] = (
        timedelta(minutes=5)
    )
    """The longest, while nobody answers."""
    refused: Annotated[timedelta, Between(timedelta(milliseconds=1), timedelta(days=7))] = (
        timedelta(minutes=15)
    )
    """After a refusal, which only people can undo."""


@dataclass(frozen=True)
class AgentSettings:
    """Everything that can be set."""

    identity: Path = Path("/etc/homeport/device")
    """Directory with device.toml, idevid.pem, platform.pem: made at the factory."""
    state: Path = Path("/var/lib/homeport-agent")
    """Directory for what the agent remembers. Nobody else may look inside."""
    socket: Path | None = None
    """Where programs on the device publish and receive. Not set: /run/homeport/agent.sock for the
    usual state directory, agent.sock inside any other."""
    socket_group: str = ""
    """Group whose members may use the socket; empty: the agent's own."""
    address: str = ""
    """Only this platform address is tried, such as "https://10.0.0.5:8443"."""
    proxy: str = ""
    """HTTP proxy for enrolment and WebSocket, such as "http://10.0.0.1:3128"."""
    proxy_credentials: Path | None = None
    """File with user:password for the proxy."""
    transport: Transport = Transport.AUTO
    """Which of the platform's endpoints are used."""
    set_clock: bool = True
    """Step the clock when a signed answer proves it wrong (needs CAP_SYS_TIME)."""
    rekey: bool = True
    """Make a new key at each renewal."""
    discovery: DiscoverySettings = field(default_factory=DiscoverySettings)
    rest: RestSettings = field(default_factory=RestSettings)
    log: LogSettings = field(default_factory=LogSettings)

    @property
    def socket_path(self) -> Path:
        """Where the socket is."""
        if self.socket is not None:
            return self.socket
        is_usual = self.state == AgentSettings.state
        return USUAL_SOCKET if is_usual else self.state / "agent.sock"
