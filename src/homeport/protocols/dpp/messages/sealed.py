# SPDX-License-Identifier: Apache-2.0
"""Wrapped data: AES-SIV (RFC 5297) over attributes, bound to what stands before it (section 6.2).

Associated data are, of a public action frame, its header and the attributes before the wrapped
data; of a configuration response, those attributes; of a configuration request and of the tag
inside an authentication response, nothing.
"""

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from homeport.errors import Code, HomeportError, MalformedError
from homeport.protocols.dpp.wire.attributes import (
    Attributes,
    read_attributes,
    write_attributes,
)
from homeport.protocols.dpp.wire.frames import ActionFrame
from homeport.protocols.dpp.wire.vocabulary import AttributeId

TAG_LENGTH: Final = 16
"""Bytes that sealing adds: the synthetic initialisation vector."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Wrapped data that nobody has opened yet, and what it is bound to."""

    wrapped: bytes = field(repr=False)
    associated: tuple[bytes, ...] = field(default=(), repr=False)

    def open(self, key: bytes) -> Attributes:
        """Return the attributes inside; raise DPP_PEER_UNPROVEN if another key sealed them."""
        if len(self.wrapped) <= TAG_LENGTH:
            raise MalformedError("wrapped data without content", Code.DPP_MALFORMED)
        try:
            clear = AESSIV(key).decrypt(self.wrapped, list(self.associated) or None)
        except InvalidTag:
            raise HomeportError(Code.DPP_PEER_UNPROVEN, "wrapped data of another key") from None
        return read_attributes(clear)


def seal(key: bytes, clear: bytes, *associated: bytes) -> bytes:
    """Return `clear` sealed and bound to `associated`, as the value of a wrapped-data attribute."""
    return AESSIV(key).encrypt(clear, list(associated) or None)


def read_sealed(octets: bytes, *header: bytes) -> tuple[Attributes, Sealed]:
    """Read attributes and wrapped data, bound to `header` and to what stands before it."""
    attributes = read_attributes(octets)
    wrapped = attributes.required(AttributeId.WRAPPED_DATA)
    before = octets[: attributes.found[-1].offset]
    return attributes, Sealed(wrapped, (*header, before))


def seal_action(type_: int, before: bytes, key: bytes, clear: bytes) -> ActionFrame:
    """Return a public action frame of the attributes `before` and the sealed ones."""
    frame = ActionFrame(type_, before)
    wrapped = seal(key, clear, frame.header, before)
    return ActionFrame(type_, before + write_attributes((AttributeId.WRAPPED_DATA, wrapped)))


def read_action(frame: ActionFrame, type_: int) -> tuple[Attributes, Sealed]:
    """Read an action frame of the type that is expected; raise DPP_OUT_OF_ORDER for another."""
    if frame.type != type_:
        raise HomeportError(Code.DPP_OUT_OF_ORDER, f"frame type {frame.type}, expected {type_}")
    return read_sealed(frame.attributes, frame.header)
