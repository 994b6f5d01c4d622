# SPDX-License-Identifier: Apache-2.0
"""The Wi-Fi networks that a device hears, so that its installer need not type a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from homeport.protocols.dpp.configuration.members import Json, Members, to_base64url
from homeport.protocols.dpp.wire.vocabulary import SSID_MAX

NETWORKS_MAX: Final = 12
"""The strongest: more are no help on a phone, and each takes eighty octets of a frame."""
WEAKEST: Final = -128
SECURITY_MAX: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenNetwork:
    """A network and how well it is heard."""

    ssid: bytes
    signal: int
    """dBm, -128 to 0."""
    security: str
    """Such as "open", "psk", "sae", "psk+sae", "enterprise"; a later one may be unknown here."""


def write_networks(networks: Sequence[SeenNetwork]) -> list[Json]:
    """Return the first twelve as JSON; a signal beyond the limits is taken for the limit."""
    return [
        {
            "ssid64": to_base64url(each.ssid),
            "signal": min(max(each.signal, WEAKEST), 0),
            "security": each.security,
        }
        for each in networks[:NETWORKS_MAX]
    ]


def read_networks(member: Members) -> tuple[SeenNetwork, ...]:
    """Return the member `networks`, none where it is not there; raise MalformedError."""
    if "networks" not in member:
        return ()
    return tuple(
        SeenNetwork(
            ssid=each.url_octets("ssid64", SSID_MAX),
            signal=each.integer("signal", 0, lowest=WEAKEST),
            security=each.text("security", SECURITY_MAX),
        )
        for each in member.many("networks", NETWORKS_MAX)
    )
