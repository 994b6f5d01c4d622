# SPDX-License-Identifier: Apache-2.0
"""A head of the audit trail's chain: a platform's signed statement of all that happened so far.

A JWS in flattened JSON of type `homeport-audit-head+jws`, with the chain of the domain certificate.
It travels: whoever keeps heads elsewhere can show later that the trail was changed.
docs/understand/audit-trail.md.
"""

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import PublicKey
from homeport.pki import jws
from homeport.pki.anchors import Anchors
from homeport.pki.chains import verify_platform_signer

TYP: Final = "homeport-audit-head+jws"

LIMIT: Final = 32_768
"""Octets; with two certificates a head takes 2.5 kB."""

Hex256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]
Cursor = Annotated[int, Meta(ge=1, le=(1 << 63) - 1)]


class AuditHead(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is stated: after these events the chain stood there."""

    platform: Annotated[str, Meta(min_length=1, max_length=253)]
    """The platform's name, which its certificate carries."""
    number: Cursor
    """1, 2, 3…"""
    first: Cursor
    last: Cursor
    """Cursors of the first and the last event since the head before."""
    count: Cursor
    """How many events these are."""
    previous: Hex256
    """Link of the chain before them: the head with the number before; zeros at the beginning."""
    head: Hex256
    """Link of the chain after them."""
    time: Annotated[int, Meta(ge=0, le=1 << 40)]
    """When it was signed; Unix seconds, by the platform's clock."""

    @property
    def at(self) -> datetime:
        """When it was signed."""
        return datetime.fromtimestamp(self.time, UTC)


_decode: Final = msgspec.json.Decoder(AuditHead).decode
_encode: Final = msgspec.json.Encoder().encode


def sign_head(head: AuditHead, signer: jws.JwsSigner) -> bytes:
    """Sign it; the signer was made for `TYP`."""
    return signer.sign(_encode(head))


def peek_head(data: bytes) -> AuditHead:
    """Read a head without believing it; raise MalformedError."""
    return _read(jws.parse(data, limit=LIMIT).unverified_payload)


class HeadVerifier:
    """Checks heads against trust anchors for platforms."""

    def __init__(self, anchors: Anchors) -> None:
        """Take the anchors: those that the platform's devices hold, too."""
        self._anchors = anchors
        self._known: dict[tuple[object, ...], PublicKey] = {}

    def verify(self, data: bytes) -> AuditHead:
        """Return what is stated, if a platform of that name has signed it.

        Raise PLATFORM_UNPROVEN, SIGNATURE_WRONG, ALGORITHM_REFUSED, or MalformedError.
        """
        signed = jws.parse(data, limit=LIMIT)
        if signed.header.typ != TYP:
            raise HomeportError(Code.PLATFORM_UNPROVEN, f"signed as {signed.header.typ[:60]!r}")
        head = _read(signed.unverified_payload)
        jws.verify(signed, self._signer(signed.header.x5c or (), head))
        return head

    def _signer(self, x5c: tuple[bytes, ...], head: AuditHead) -> PublicKey:
        # A chain is checked for each day on which it has signed: thousands of heads share a few.
        known = (x5c, head.platform, head.at.date())
        if known not in self._known:
            self._known[known] = verify_platform_signer(x5c, self._anchors, head.platform, head.at)
        return self._known[known]


def _read(payload: bytes) -> AuditHead:
    try:
        head = _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(f"audit head: {error}") from None
    if head.first > head.last:
        raise MalformedError("audit head: it ends before it begins")
    return head
