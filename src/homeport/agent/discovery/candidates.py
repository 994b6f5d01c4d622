# SPDX-License-Identifier: Apache-2.0
"""The order of candidates, decided without I/O: which address is tried first, each only once.

Pinned setting, DHCP, DNS-SD, the manufacturer's default address. A source's rank says who chose
the address, not how far it is believed: every candidate must prove itself.
"""

from collections.abc import Iterable
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


def in_order(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Sort by source, keep each source's own order, drop repetitions and what is too many."""
    rank = list(Source)
    seen = Seen()
    by_rank = sorted(candidates, key=lambda candidate: rank.index(candidate.source))
    return tuple(candidate for candidate in by_rank if seen.is_new(candidate))
