# SPDX-License-Identifier: Apache-2.0
"""A device: (issuer authority, serial number), everywhere.

The authority is named by its trust anchor (`homeport.pki.authority_id`), so two manufacturers may
use the same serial numbers. As a string the pair is the MQTT client id and a level of topic names,
which decides what characters it may have.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from homeport.domain.ownership import NO_EPOCH, Ownership, Proof
from homeport.errors import MalformedError

AUTHORITY: Final = re.compile(r"[a-z2-7]{16}")
"""16 characters of lower-case base32: 80 bits of a SHA-256, beyond a second preimage."""

SERIAL_NUMBER_MAX: Final = 64
"""Characters; X.520 ub-serial-number."""

_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_ESCAPE: Final = re.compile(r"=([0-9A-F]{2})")


@dataclass(frozen=True, slots=True, order=True)
class DeviceId:
    """Who a device is, in one string: `<authority>-<serial number>`.

    Characters of the serial number other than `A-Z a-z 0-9 - _` are written `=XX` (UTF-8, hex), so
    that the string is safe in MQTT topics, NATS subjects, URLs and file names, and reversible.
    """

    authority: str
    serial_number: str

    def __post_init__(self) -> None:
        """Refuse what could not be an issuer authority or a serial number (MalformedError)."""
        if not AUTHORITY.fullmatch(self.authority):
            raise MalformedError("the authority is not 16 characters of base32")
        check_serial_number(self.serial_number)

    def __str__(self) -> str:
        serial = self.serial_number
        if not _PLAIN.issuperset(serial):
            serial = "".join(
                c if c in _PLAIN else "".join(f"={b:02X}" for b in c.encode()) for c in serial
            )
        return f"{self.authority}-{serial}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str()` wrote; anything else is a MalformedError."""
        authority, dash, escaped = text.partition("-")
        if not dash or not _PLAIN.union("=").issuperset(escaped):
            raise MalformedError("not a device id")
        try:
            octets = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), escaped)
            device = cls(authority, octets.encode("latin-1").decode())
        except UnicodeError as error:
            raise MalformedError("not a device id: its escapes are not UTF-8") from error
        if str(device) != text:
            raise MalformedError("not a device id: written in an unusual way")
        return device


def check_serial_number(serial_number: str) -> None:
    """Refuse an empty, overlong or unprintable serial number (MalformedError)."""
    if not 0 < len(serial_number) <= SERIAL_NUMBER_MAX:
        raise MalformedError(f"a serial number has 1 to {SERIAL_NUMBER_MAX} characters")
    if not serial_number.isprintable() or serial_number != serial_number.strip():
        raise MalformedError("a serial number is printable and has no blanks around it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What the registry knows of one device."""

    id: DeviceId
    model: str
    """The maker's name of its kind, as minted or as the device says."""
    hardware_identity: str
    """Where the IDevID's key lives: "file" (development only), "pkcs11", "tpm", "external"."""
    minted: bool
    """In a hand-over manifest; a device that is not was only ever seen."""
    idevid_fingerprint: str | None
    """SHA-256 of the IDevID in hex, once known."""
    tenant: str | None = None
    """Name of the owning tenant: in the states HELD, and only there."""
    ownership: Ownership = Ownership.UNOWNED
    proof: Proof | None = None
    """What the present owner's title rests on."""
    upstream: str | None = None
    """Name of the upstream that it is provisioned for."""
    epoch: int = NO_EPOCH
    """Ownership epoch: 0 before the first owner; never runs backwards."""
    registered_at: datetime
