# SPDX-License-Identifier: Apache-2.0
"""Settings of the broker: of the embedded one that we start, or of a given one that we use."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Listener:
    """Where devices connect: TLS with a client certificate, always."""

    host: str
    """Address to listen on; "0.0.0.0" means every address, also of IPv6."""
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSettings:
    """The NATS server that lives and dies with us."""

    directory: Path
    """Its own directory: configuration, messages, secrets of this start (0700)."""
    certificate: Path
    """PEM: the broker's TLS certificate and its chain, leaf first."""
    key: Path
    """PEM: its private key."""
    device_issuers: Path
    """PEM: the issuers of operational certificates (LDevIDs). No other certificate gets through
    TLS, not even one from the same root."""
    mqtt: Listener = Listener("0.0.0.0", 8883)  # noqa: S104 - devices come from everywhere
    """MQTT 3.1.1 on TLS (port 8883: IANA, secure-mqtt)."""
    websocket: Listener | None = None
    """MQTT in a WebSocket on TLS, path /mqtt, for networks that let only port 443 out."""
    client_port: int = 0
    """Loopback port for our own connections; 0: any free one."""
    storage_bytes: int = 8 * 1024 * MIB
    """Most that messages may take on the disk."""
    message_bytes: int = MIB
    """Largest message of ours; a device's is limited further by its permissions."""
    connections: int = 100_000
    """Most connections at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSettings:
    """A NATS server or cluster that somebody else runs; docs/protocols/mqtt.md has its side."""

    urls: tuple[str, ...]
    """nats:// or tls:// addresses, any of the cluster."""
    account: str = "HOMEPORT"
    """Name of the account that devices live in."""
    platform_seed: Path
    """File with the nkey seed (SU...) of our user in that account."""
    system_seed: Path
    """File with the nkey seed (SU...) of our user in the system account: it ends connections."""
    issuer_seed: Path
    """File with the account nkey seed (SA...) that the auth callout's answers are signed with."""
    anchors: Path | None = None
    """PEM: trust anchors for tls:// addresses; none: the machine's own."""
    replicas: int = 1
    """Copies of each stored message: 3 in a cluster of three."""
