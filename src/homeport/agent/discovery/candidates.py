# SPDX-License-Identifier: Apache-2.0
"""Candidates: addresses where a platform may be, who named them, and that each is tried only once.

A source says who chose the address, not how far it is believed: every candidate must prove itself.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_CANDIDATES: Final = 32
"""Tried in one round of discovery; a LAN that offers more is hostile or broken."""


class Source(StrEnum):
    """Who named the address, in the order in which they are asked."""

    PINNED = "pinned"  # the setting on this device
    DHCP = "dhcp"  # options 143 and 136
    DNS_SD = "dns-sd"  # `_homeport._tcp` on the LAN
    DEFAULT = "default"  # what the manufacturer put in


@dataclass(frozen=True)
class Candidate:
    """A platform's base URL (`https://HOST[:PORT]`) and who named it.

    `addresses` are where to connect instead of asking a resolver: DNS-SD gives host names under
    `.local`, which many devices cannot resolve. Textual, IPv6 link-local ones with zone. Empty
    means: resolve the host.
    """

    url: str
    source: Source
    addresses: tuple[str, ...] = ()


class Seen:
    """Which addresses were offered in this round: each passes once, and not endlessly many."""

    def __init__(self) -> None:
        """Begin a round."""
        self._candidates: dict[str, Candidate] = {}

    def is_new(self, candidate: Candidate) -> bool:
        """Note a candidate; False for one that was offered before or is one too many."""
        if candidate.url in self._candidates or len(self._candidates) == MAX_CANDIDATES:
            return False
        self._candidates[candidate.url] = candidate
        return True
