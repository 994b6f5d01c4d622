# SPDX-License-Identifier: Apache-2.0
"""Settings of the platform: `server.toml`, or options of the command line over it.

Everything has a default that works on a laptop; docs/reference/settings.md is made from this file.
"""

import ipaddress
import os
import re
import socket
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from homeport.errors import Code, HomeportError
from homeport.provisioning.policy import SecondKey
from homeport.server.certificates.places import present_name
from homeport.settings import Between, load

CONFIGURATION: Final = Path("/etc/homeport/server.toml")
CONFIGURATION_VARIABLE: Final = "HOMEPORT_CONFIG"

HOST_NAME_MAX: Final = 253
"""Octets of a host name: RFC 1035 section 2.3.4, as text."""
_HOST_NAME: Final = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.|\Z))+")

Port = Annotated[int, Between(1, 65535)]
PerSecond = Annotated[float, Between(0.001, 1_000_000.0)]
Burst = Annotated[int, Between(1, 1_000_000)]


class LogFormat(StrEnum):
    """How log lines are written."""

    CONSOLE = "console"
    JSON = "json"


def default_data() -> Path:
    """Return where the platform keeps what it knows: system-wide for root, else one's own."""
    if os.geteuid() == 0:
        return Path("/var/lib/homeport")
    return Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local/state")) / "homeport"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where the platform listens."""

    address: str = "::"
    """Of the device's door; "::" is every address, "127.0.0.1" only this machine."""
    port: Port = 8443
    """Of the device's door (HTTPS)."""
    operations_address: str = "127.0.0.1"
    """Of health, readiness and metrics; plain HTTP, so keep it inside."""
    operations_port: Port = 9464
    """The port that Prometheus exporters are usually found at."""
    mqtt_address: str = "::"
    """Of the message broker."""
    mqtt_port: Port = 8883
    """MQTT over TLS with a client certificate."""
    websocket_port: Annotated[int, Between(0, 65535)] = 0
    """MQTT in a WebSocket for networks that let nothing else out (usually 443); 0: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The platform's own TLS certificate; without files one is made, and renewed in time."""

    certificate: Path | None = None
    """PEM with chain, from your CA or your ACME client; noticed when it is renewed."""
    key: Path | None = None
    """PEM of its private key."""
    anchors: Path | None = None
    """PEM with the roots that devices must trust for it; needed with `certificate`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Where the platform's private keys live."""

    issuer: str = ""
    """URI of the key that signs operational certificates: `pkcs11:...`; empty: a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """Rules of enrolment."""

    second_key: SecondKey = SecondKey.ASK
    """When another key asks for the identity of a working device: "ask" a person, or "accept"."""
    certificate_lifetime: Annotated[
        timedelta, Between(timedelta(minutes=1), timedelta(days=3660))
    ] = timedelta(days=90)
    """Of operational certificates; the agent renews at two thirds."""
    renewal_grace: timedelta = timedelta(days=365)
    """How long after its end a certificate may still be renewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who signs in, and for how long."""

    session_idle: Annotated[timedelta, Between(timedelta(minutes=5), timedelta(days=30))] = (
        timedelta(hours=12)
    )
    """A session that was not used for so long is over."""
    session_lifetime: Annotated[timedelta, Between(timedelta(minutes=5), timedelta(days=90))] = (
        timedelta(days=7)
    )
    """A session that is so old is over, however busy it was."""
    invitation_lifetime: Annotated[timedelta, Between(timedelta(minutes=5), timedelta(days=90))] = (
        timedelta(days=7)
    )
    """How long an invitation can be accepted."""
    found_tenants: bool = False
    """Whether everybody with an account may found one tenant of their own; else the operator adds
    tenants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Oidc:
    """An OpenID provider at which people may sign in too; docs/operate/people.md."""

    issuer: str = ""
    """Its issuer identifier, https://...; empty: none."""
    title: str = "single sign-on"
    """What people call it; stands on the button."""
    client_id: str = "homeport"
    """Who this platform is there. Register <public URL>/api/v1/oidc/callback as redirect URI."""
    client_secret: Path | None = None
    """File with the client's secret; without one it is a public client, protected by PKCE alone."""
    anchors: Path | None = None
    """PEM with the roots to trust for its TLS; without it the system's."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    """What is asked for; "openid" is always needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How fast is too fast."""

    source_per_second: PerSecond = 50.0
    """Requests per second and source address (an IPv6 /64), in the long run."""
    source_burst: Burst = 500
    """Requests at once; a building comes back after a power cut behind one address."""
    device_per_second: PerSecond = 0.2
    """Enrolment requests, and log-ins at the broker, per second and device, in the long run."""
    device_burst: Burst = 20
    """Enrolment requests, and log-ins at the broker, of one device at once."""
    proxies: tuple[str, ...] = ()
    """Networks of your own reverse proxies, whose X-Forwarded-For is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalBroker:
    """A NATS server or cluster of yours instead of the embedded one; docs/protocols/mqtt.md."""

    urls: tuple[str, ...] = ()
    """nats:// or tls:// addresses; none: the embedded broker."""
    account: str = "HOMEPORT"
    """The account that devices live in."""
    platform_seed: Path | None = None
    """File with the nkey seed of our user in that account."""
    system_seed: Path | None = None
    """File with the nkey seed of our user in the system account."""
    issuer_seed: Path | None = None
    """File with the account seed that signs the auth callout's answers."""
    anchors: Path | None = None
    """PEM with trust anchors for tls:// addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """How the audit trail is sealed; docs/understand/audit-trail.md."""

    seal_every: Annotated[timedelta, Between(timedelta(seconds=1), timedelta(days=1))] = timedelta(
        seconds=60
    )
    """How long an event may be without a signed head over it; a thousand events get one at once."""
    heads: Path | None = None
    """File, or directory of one file a day, to which each signed head is appended: on a disk that
    cannot be rewritten, or that another machine keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What is logged, and how."""

    level: str = "info"
    """debug, info, warning or error."""
    format: LogFormat = LogFormat.CONSOLE
    """For people or for programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Everything that can be set."""

    data: Path = field(default_factory=default_data)
    """Directory of registry, keys and broker; below ~/.local/state for users other than root."""
    name: str = ""
    """Host name or IP address by which devices know the platform; stands in its certificates.
    Empty: the name that it has; at the first run, this machine's."""
    public_url: str = ""
    """Base URL as devices see it; empty: https://<name>:<port>."""
    listen: Listen = Listen()
    tls: Tls = Tls()
    keys: Keys = Keys()
    enrolment: Enrolment = Enrolment()
    people: People = People()
    oidc: Oidc = Oidc()
    rates: Rates = Rates()
    broker: ExternalBroker = ExternalBroker()
    audit: Audit = Audit()
    log: Log = Log()

    @property
    def url(self) -> str:
        """The base URL that requests are signed for."""
        host = f"[{self.name}]" if ":" in self.name else self.name
        return self.public_url.rstrip("/") or f"https://{host}:{self.listen.port}"

    @property
    def registry_path(self) -> Path:
        """The SQLite file."""
        return self.data / "registry.sqlite"


def load_settings(path: Path | None, overrides: dict[str, object]) -> ServerSettings:
    """Read the settings: the path given, else the variable's, else the usual one if it is there.

    The name is always filled in. Raise FILE_MISSING, SETTING_WRONG.
    """
    if path is None and CONFIGURATION_VARIABLE in os.environ:
        path = Path(os.environ[CONFIGURATION_VARIABLE])
    if path is None and CONFIGURATION.exists():
        path = CONFIGURATION
    settings = load(ServerSettings, path, overrides)
    # A command that is not told the name must not rename the platform.
    name = settings.name or present_name(settings.data / "keys") or socket.getfqdn()
    if not _is_host(name):
        raise HomeportError(Code.SETTING_WRONG, f"name: {name!r} is no host name or IP address")
    return replace(settings, name=name)


def _is_host(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return len(name) <= HOST_NAME_MAX and bool(_HOST_NAME.fullmatch(name))
    return True
