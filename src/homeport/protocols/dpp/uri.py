# SPDX-License-Identifier: Apache-2.0
"""The bootstrapping URI of a QR code or an NFC tag (Wi-Fi Easy Connect section 5.2.1).

    DPP:C:81/1,115/36;M:5254005828e5;I:EX-000017;V:2;K:MDkwEwYHKoZIzj0CAQ...;;

Readers pass over fields that they do not know, because later releases add some; a known field that
is malformed or comes twice is refused. The scheme is in capitals: wpa_supplicant 2.10 refuses
others. `B:` (supported curves) and `H:` (host and port of the TCP carrier) are of release 3.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from homeport.errors import Code, MalformedError
from homeport.protocols.dpp.points import key_hash, read_spki, write_spki

URI_MAX_CHARACTERS: Final = 1_000
"""A QR code of version 20 holds 858 at level L; a URI with everything in it needs a third."""
CHANNELS_MAX: Final = 64
"""Operating classes times channels that a device may list; there are no more that it could hear."""
_SCHEME: Final = "DPP:"
_END: Final = ";;"
_PRINTABLE: Final = re.compile(r"[\x20-\x3a\x3c-\x7e]*")
"""Printable ASCII without the semicolon, which ends a field."""
_CHANNEL: Final = re.compile(r"([0-9]{1,3})/([0-9]{1,3})")
_MAC: Final = re.compile(r"[0-9a-fA-F]{12}")
_HOST: Final = re.compile(r"[\x21-\x3a\x3c-\x7e]{1,255}")
_OCTET: Final = 255


@dataclass(frozen=True, slots=True)
class Channel:
    """Where a device listens on the air."""

    operating_class: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrappingUri:
    """What a device's QR code says."""

    key: ec.EllipticCurvePublicKey
    """The device is proven by nothing but this."""
    channels: tuple[Channel, ...] = ()
    mac: bytes | None = None
    """Six bytes; it is no identity and must not be relied on."""
    information: str = ""
    """Free text, often a serial number; unproven."""
    version: int = 2
    host: str = ""
    curves: int | None = None
    """Bit mask of supported curves."""
    unknown: tuple[tuple[str, str], ...] = field(default=())
    """Fields of later releases, in their order; they are written again as they were."""

    @property
    def key_hash(self) -> bytes:
        """What names the key in messages."""
        return key_hash(self.key)

    def __str__(self) -> str:
        return write_uri(self)


def read_uri(text: str) -> BootstrappingUri:
    """Read a URI; raise MalformedError (DPP_URI_MALFORMED) if it is none."""
    if len(text) > URI_MAX_CHARACTERS or not text.startswith(_SCHEME) or not text.endswith(_END):
        raise _wrong("it is not DPP:…;;")
    known: dict[str, str] = {}
    unknown: list[tuple[str, str]] = []
    for part in text.removeprefix(_SCHEME).removesuffix(_END).split(";"):
        name, colon, value = part.partition(":")
        if not name or not colon or not _PRINTABLE.fullmatch(part):
            raise _wrong("a field without name, or with characters that are not printable ASCII")
        if name not in _KNOWN:
            unknown.append((name, value))
        elif name in known:
            raise _wrong(f"field {name} comes twice")
        else:
            known[name] = value
    if "K" not in known:
        raise _wrong("it has no key")
    return BootstrappingUri(
        key=_key(known["K"]),
        channels=_channels(known["C"]) if "C" in known else (),
        mac=_mac(known["M"]) if "M" in known else None,
        information=known.get("I", ""),
        version=_number(known.get("V", "1"), range(1, _OCTET + 1)),
        host=_host(known["H"]) if "H" in known else "",
        curves=_bits(known["B"]) if "B" in known else None,
        unknown=tuple(unknown),
    )


def write_uri(uri: BootstrappingUri) -> str:
    """Return the text for the QR code; raise MalformedError if a field cannot be written."""
    fields = [
        ("C", ",".join(f"{each.operating_class}/{each.number}" for each in uri.channels)),
        ("M", uri.mac.hex() if uri.mac else ""),
        ("I", uri.information),
        ("V", str(uri.version)),
        ("H", uri.host),
        ("B", f"{uri.curves:x}" if uri.curves is not None else ""),
        ("K", base64.b64encode(write_spki(uri.key)).decode()),
    ]
    known = [(name, value) for name, value in fields if value]
    ordered = [*known[:-1], *uri.unknown, known[-1]]
    text = _SCHEME + ";".join(f"{name}:{value}" for name, value in ordered) + _END
    if read_uri(text) != uri:
        raise _wrong("a field says something else when it is read again")
    return text


_KNOWN: Final = frozenset("CMIVHBK")


def _key(value: str) -> ec.EllipticCurvePublicKey:
    try:
        return read_spki(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError):
        raise _wrong("the key is not base64") from None


def _channels(value: str) -> tuple[Channel, ...]:
    """`81/1,115/36`; after a slash, more channels of the same class may follow: `81/1,6,11`."""
    channels: list[Channel] = []
    parts = value.split(",")
    if len(parts) > CHANNELS_MAX:
        raise _wrong("too many channels")
    for part in parts:
        if found := _CHANNEL.fullmatch(part):
            channels.append(Channel(_octet(found[1]), _octet(found[2])))
        elif channels:
            channels.append(Channel(channels[-1].operating_class, _octet(part)))
        else:
            raise _wrong("channels without operating class")
    return tuple(channels)


def _mac(value: str) -> bytes:
    if not _MAC.fullmatch(value):
        raise _wrong("the MAC address is not twelve hexadecimal digits")
    return bytes.fromhex(value)


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise _wrong("the host is malformed")
    return value


def _octet(value: str) -> int:
    return _number(value, range(1, _OCTET + 1))


def _bits(value: str) -> int:
    if not re.fullmatch(r"[0-9a-fA-F]{1,4}", value):
        raise _wrong("the curves are not hexadecimal")
    return int(value, 16)


def _number(value: str, allowed: range) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", value) or int(value) not in allowed:
        raise _wrong("a number is out of range")
    return int(value)


def _wrong(reason: str) -> MalformedError:
    return MalformedError(reason, Code.DPP_URI_MALFORMED)
