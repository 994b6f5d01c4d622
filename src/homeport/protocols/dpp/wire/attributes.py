# SPDX-License-Identifier: Apache-2.0
"""Attributes: number and length, two bytes each, little endian, then the value (section 8.1).

A reader passes over numbers that it does not know (later releases) and refuses what is cut short,
what should be there once and is not, and anything behind the wrapped data: nobody signed that.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from homeport.errors import Code, MalformedError
from homeport.protocols.dpp.wire.vocabulary import AttributeId

ATTRIBUTES_MAX: Final = 64
"""In one message; the fullest of release 2 has thirteen."""
VALUE_MAX: Final = 0xFFFF
_HEADER: Final = struct.Struct("<HH")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute and where it begins in what was read."""

    number: int
    value: bytes = field(repr=False)
    """Of what was sealed it may be a password."""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of one message, in their order."""

    found: Sequence[Attribute]

    def optional(self, number: AttributeId, *lengths: int) -> bytes | None:
        """Return the value, or None; raise if it comes twice or has none of the lengths."""
        values = self.every(number)
        if len(values) > 1:
            raise _malformed(f"attribute {number.name} comes {len(values)} times")
        if values and lengths and len(values[0]) not in lengths:
            raise _malformed(f"attribute {number.name} has {len(values[0])} bytes")
        return values[0] if values else None

    def required(self, number: AttributeId, *lengths: int) -> bytes:
        """Return the value of the one attribute of that number, of one of the lengths."""
        value = self.optional(number, *lengths)
        if value is None:
            raise _malformed(f"attribute {number.name} is missing")
        return value

    def every(self, number: AttributeId) -> tuple[bytes, ...]:
        """Return the values of all attributes of that number."""
        return tuple(each.value for each in self.found if each.number == number)


def read_attributes(octets: bytes) -> Attributes:
    """Read a message's attributes; raise MalformedError."""
    found: list[Attribute] = []
    offset = 0
    while offset < len(octets):
        if len(found) == ATTRIBUTES_MAX:
            raise _malformed("too many attributes")
        start = offset + _HEADER.size
        if start > len(octets):
            raise _malformed("an attribute is cut short")
        number, length = _HEADER.unpack_from(octets, offset)
        if start + length > len(octets):
            raise _malformed("an attribute is cut short")
        if found and found[-1].number == AttributeId.WRAPPED_DATA:
            raise _malformed("something follows the wrapped data")
        found.append(Attribute(number, octets[start : start + length], offset))
        offset = start + length
    return Attributes(found)


def write_attributes(*attributes: tuple[AttributeId, bytes | None]) -> bytes:
    """Return the attributes' octets; those without a value are left out. Raise TOO_LARGE."""
    return b"".join(
        _HEADER.pack(number, _fitting(value)) + value
        for number, value in attributes
        if value is not None
    )


def _fitting(value: bytes) -> int:
    if len(value) > VALUE_MAX:
        raise MalformedError(f"an attribute of {len(value)} bytes", Code.TOO_LARGE)
    return len(value)


def _malformed(reason: str) -> MalformedError:
    return MalformedError(reason, Code.DPP_MALFORMED)
