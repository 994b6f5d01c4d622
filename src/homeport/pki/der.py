# SPDX-License-Identifier: Apache-2.0
"""The little DER (X.690 section 10) that is written here, around what `cryptography` encodes."""

from datetime import datetime
from typing import Final

from cryptography import x509

SEQUENCE: Final = 0x30
TRUE: Final = b"\x01\x01\xff"
"""A BOOLEAN; FALSE is the default wherever we write one, and left out."""

_SHORT: Final = 0x80
"""Lengths below take one byte (section 8.1.3.4); longer ones say first how many they take."""
_UTC_TIME_BEFORE: Final = 2050
"""The first year that needs a GeneralizedTime (RFC 5280 section 4.1.2.5)."""


def element(tag: int, *parts: bytes) -> bytes:
    """Return tag, length and the parts one after the other."""
    content = b"".join(parts)
    length = len(content)
    if length < _SHORT:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(octets))) + octets + content


def integer(number: int) -> bytes:
    """Return an INTEGER that is not negative."""
    return element(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def bit_string(octets: bytes) -> bytes:
    """Return a BIT STRING of whole octets."""
    return element(0x03, b"\0", octets)


def octet_string(octets: bytes) -> bytes:
    """Return an OCTET STRING."""
    return element(0x04, octets)


def object_identifier(oid: x509.ObjectIdentifier) -> bytes:
    """Return an OBJECT IDENTIFIER of at most 125 bytes."""
    # An extendedKeyUsage is a SEQUENCE OF OID: here of one, without its own tag and length.
    return x509.ExtendedKeyUsage([oid]).public_bytes()[2:]


def time(at: datetime) -> bytes:
    """Return a Time as certificates have it (RFC 5280 section 4.1.2.5), from an instant in UTC."""
    if at.year < _UTC_TIME_BEFORE:
        return element(0x17, at.strftime("%y%m%d%H%M%SZ").encode())
    return element(0x18, f"{at.year:04}{at:%m%d%H%M%SZ}".encode())
