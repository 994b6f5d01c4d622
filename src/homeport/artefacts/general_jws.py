# SPDX-License-Identifier: Apache-2.0
"""JWS in the general JSON form (RFC 7515 section 7.2.1), as draft-ietf-anima-jws-voucher wants it.

The form allows several signatures; we make one and accept one. Signing and strict reading are
those of the flattened form (`homeport.pki.jws`).
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from homeport.errors import Code, MalformedError
from homeport.pki import jws


class _Signature(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    protected: str
    signature: str


class _General(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    payload: str
    signatures: Annotated[tuple[_Signature, ...], Meta(min_length=1, max_length=1)]


class _Flattened(Struct, frozen=True, gc=False):
    protected: str
    payload: str
    signature: str


_general: Final = msgspec.json.Decoder(_General)
_flattened: Final = msgspec.json.Decoder(_Flattened)
_encode: Final = msgspec.json.Encoder().encode


def parse_general(data: bytes, *, limit: int) -> jws.UnverifiedJws:
    """Read a JWS of at most `limit` bytes; raise as `homeport.pki.jws.parse` does."""
    if len(data) > limit:
        raise MalformedError(f"JWS of {len(data)} bytes", Code.TOO_LARGE)
    try:
        outer = _general.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(str(error), Code.JWS_MALFORMED) from None
    [only] = outer.signatures
    flattened = _Flattened(only.protected, outer.payload, only.signature)
    return jws.parse(_encode(flattened), limit=limit)


def general_from_flattened(data: bytes) -> bytes:
    """Return a flattened JWS of ours in the general form."""
    flat = _flattened.decode(data)
    return _encode(_General(flat.payload, (_Signature(flat.protected, flat.signature),)))
