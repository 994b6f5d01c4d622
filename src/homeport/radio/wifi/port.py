# SPDX-License-Identifier: Apache-2.0
"""The Wi-Fi of a device, as whoever provisions it sees it: look around, join, forget.

One network is stored at a time, and only once it was joined. Networks that the board has stored by
other ways are left as they are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from homeport.errors import MalformedError

SSID_MAX: Final = 32
"""Octets (802.11 section 9.4.2.2)."""
PASSPHRASE_MAX: Final = 63
PASSPHRASE_MIN: Final = 8
"""Octets of a WPA2 passphrase (802.11 annex J.4.1); SAE alone has no minimum."""

_PSK: Final = re.compile(r"[0-9a-fA-F]{64}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class Security(StrEnum):
    """How a network lets devices in."""

    OPEN = "open"
    PSK = "psk"  # WPA2 (and WPA) with a passphrase
    SAE = "sae"  # WPA3 with a passphrase
    PSK_SAE = "psk+sae"  # either
    ENTERPRISE = "enterprise"  # 802.1X
    UNKNOWN = "unknown"  # WEP, OWE, and what is to come


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A network in reach."""

    ssid: bytes
    signal: int
    """dBm."""
    security: Security


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A network to join, and what lets the device in. Raise MalformedError for what none can be."""

    ssid: bytes
    security: Security
    """What it has to be at least; a passphrase for `psk` may be used for WPA3 too, never for less
    than is said here."""
    passphrase: str = field(default="", repr=False)
    psk_hex: str = field(default="", repr=False)
    """The 256 bits that a passphrase stands for, if that itself is not known; not for SAE."""
    is_hidden: bool = False
    """The network does not tell its name: the device has to call it."""
    country: str = ""
    """Where the device is (ISO 3166-1, two capitals): which channels it may use."""

    def __post_init__(self) -> None:
        """Refuse what no network can have."""
        if not 1 <= len(self.ssid) <= SSID_MAX:
            raise MalformedError(f"ssid: has 1 to {SSID_MAX} octets")
        if self.country and not _COUNTRY.fullmatch(self.country):
            raise MalformedError("country: has two capital letters, such as DE")
        if self.security is Security.OPEN:
            if self.passphrase or self.psk_hex:
                raise MalformedError("passphrase: an open network has none")
        elif self.psk_hex:
            if self.passphrase or self.security is Security.SAE:
                raise MalformedError("psk_hex: is for psk and psk+sae, instead of a passphrase")
            if not _PSK.fullmatch(self.psk_hex):
                raise MalformedError("psk_hex: has 64 hexadecimal digits")
        else:
            _check_passphrase(self.passphrase, self.security)


class Wifi(Protocol):
    """The station. Every verb raises WIFI_UNAVAILABLE if there is no radio to ask."""

    async def scan(self) -> Sequence[Seen]:
        """Look around: the strongest network first, each name once, hidden ones left out."""
        ...

    async def join(self, profile: Profile) -> None:
        """Join, and return when an address is there; the network is stored then, not before.

        Raise WIFI_PASSWORD_WRONG, WIFI_NOT_FOUND, WIFI_REFUSED or WIFI_NO_ADDRESS; then what was
        joined and stored before is joined and stored again.
        """
        ...

    async def joined(self) -> bytes | None:
        """Return the name of the network that the device is in now."""
        ...

    async def forget(self) -> None:
        """Leave and forget what `join` stored."""
        ...


def _check_passphrase(passphrase: str, security: Security) -> None:
    minimum = 1 if security is Security.SAE else PASSPHRASE_MIN
    if not minimum <= len(passphrase.encode()) <= PASSPHRASE_MAX:
        raise MalformedError(f"passphrase: has {minimum} to {PASSPHRASE_MAX} octets")
    if _CONTROL.search(passphrase):
        raise MalformedError("passphrase: has a control character")
