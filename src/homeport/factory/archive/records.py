# SPDX-License-Identifier: Apache-2.0
"""What the archive holds: a header, then orders, devices and stores, one JSON line each."""

import hashlib
from typing import Annotated, Final

import msgspec
from cryptography.x509 import ObjectIdentifier
from msgspec import Meta, Struct

from homeport.artefacts.manifest import HardwareIdentity
from homeport.domain.device import DeviceId
from homeport.pki.subjects import HardwareModule

VERSION: Final = 1


class ArchiveHeader(Struct, frozen=True, forbid_unknown_fields=True):
    """The first line."""

    archive: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    salt: bytes
    check: bytes
    """Opens only under the factory's passphrase."""


class Order(Struct, frozen=True, kw_only=True, tag="order"):
    """What was to be minted, written before the first device of it."""

    id: int
    """1, 2, 3 ... in this archive."""
    at: int
    """Whole seconds since 1970 UTC."""
    model: str
    hardware_identity: HardwareIdentity
    count: int
    prefix: str | None = None
    """None: the serial numbers came from a file or from requests."""
    start: int = 0
    width: int = 0
    hardware_type: str | None = None
    """OID in the IDevIDs' HardwareModuleName; None: they have none."""

    @property
    def is_counted(self) -> bool:
        """Whether the order itself says which serial numbers."""
        return self.prefix is not None

    def serial_number(self, place: int) -> str:
        """Return the serial number at a place of a counted order, from 0."""
        return f"{self.prefix}{self.start + place:0{self.width}d}"

    def hardware(self, serial_number: str) -> HardwareModule | None:
        """Return what a device's IDevID says of its hardware: the type, and the serial number."""
        if self.hardware_type is None:
            return None
        return HardwareModule(ObjectIdentifier(self.hardware_type), serial_number.encode())


class DeviceRecord(Struct, frozen=True, kw_only=True, tag="device", gc=False):
    """A minted device."""

    order: int
    at: int
    serial_number: str
    model: str
    hardware_identity: HardwareIdentity
    idevid: bytes
    """X.509, DER."""
    idevid_key: str = ""
    """URI of the key, where it lives in a token."""
    dpp_key: bytes
    """SubjectPublicKeyInfo, compressed, DER."""
    claim_code_hash: str
    sealed: bytes
    """`DeviceSecrets`, see `sealing.py`."""

    @property
    def idevid_hash(self) -> bytes:
        """SHA-256 of the IDevID."""
        return hashlib.sha256(self.idevid).digest()


class Stores(Struct, frozen=True, kw_only=True, tag="stores"):
    """Device stores of an order: written down before the first of them, and after the last."""

    order: int
    directory: str
    """Absolute."""
    done: bool


class Mention(Struct, frozen=True, tag="device", gc=False):
    """The part of a device's record that a scan needs; the rest is passed over."""

    order: int
    serial_number: str


def file_name(serial_number: str) -> str:
    """Return a name for files of a device: escaped as in device ids, so without dots or slashes."""
    return str(DeviceId("a" * 16, serial_number)).partition("-")[2]


Record = Order | DeviceRecord | Stores

_encoder: Final = msgspec.json.Encoder()
encode = _encoder.encode
decode_header: Final = msgspec.json.Decoder(ArchiveHeader).decode
decode_record: Final = msgspec.json.Decoder(Record).decode
decode_mention: Final = msgspec.json.Decoder(Order | Mention | Stores).decode
