# SPDX-License-Identifier: Apache-2.0
"""JSON Web Signatures in the flattened JSON form (RFC 7515 section 7.2.2), read strictly.

Rules: the algorithm follows from the key, never from the sender (RFC 8725 section 3.1); `typ` is
always there, so that a signature for one purpose is not taken for another (section 3.11); there
is no unprotected header and no `crit`; base64url has one form only. Unknown protected members are
ignored, as RFC 7515 section 4 demands.
"""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import (
    PrivateKey,
    PublicKey,
    SignatureAlgorithm,
    default_algorithm,
    verify_signature,
)
from homeport.pki import base64url
from homeport.pki.certificates import CERTIFICATE_LIMIT

JWS_LIMIT: Final = 65_536
"""Bytes of a whole JWS: six certificates, a request and evidence fit four times over."""
CHAIN_LIMIT: Final = 6
"""Certificates in x5c; makers use two or three."""
TEXT_LIMIT: Final = 2_048
"""Characters of typ, url and nonce."""

ShortText = Annotated[str, msgspec.Meta(max_length=TEXT_LIMIT)]
CertificateBytes = Annotated[bytes, msgspec.Meta(min_length=1, max_length=CERTIFICATE_LIMIT)]
CertificateChain = Annotated[
    tuple[CertificateBytes, ...], msgspec.Meta(min_length=1, max_length=CHAIN_LIMIT)
]


class JwsHeader(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The protected header (RFC 7515 section 4.1; url and nonce: RFC 8555 section 6.4, 6.5)."""

    alg: SignatureAlgorithm
    typ: ShortText
    url: ShortText | None = None
    nonce: ShortText | None = None
    x5c: CertificateChain | None = None
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Flattened(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """The outer object. An unprotected `header`, or `signatures`, is an unknown member here."""

    payload: str
    protected: str
    signature: str


class _AlgorithmOnly(msgspec.Struct, gc=False):
    alg: str


class UnverifiedJws(msgspec.Struct, frozen=True, gc=False):
    """A JWS that could be read: its three texts, and what they hold.

    Nothing in it is true before `verify`, which returns the payload.
    """

    protected: str
    payload: str
    signature: str
    header: JwsHeader
    unverified_payload: bytes
    signature_value: bytes

    def signing_input(self) -> bytes:
        """Return what is signed (RFC 7515 section 5.1): protected header, dot, payload."""
        return f"{self.protected}.{self.payload}".encode("ascii")

    def hash(self) -> bytes:
        """Return the SHA-256 that names this very message: protected.payload.signature."""
        return hashlib.sha256(
            f"{self.protected}.{self.payload}.{self.signature}".encode("ascii")
        ).digest()


_outer: Final = msgspec.json.Decoder(_Flattened)
_header: Final = msgspec.json.Decoder(JwsHeader)
_algorithm_only: Final = msgspec.json.Decoder(_AlgorithmOnly)
_encoder: Final = msgspec.json.Encoder()


def parse(data: bytes, *, limit: int = JWS_LIMIT) -> UnverifiedJws:
    """Read a flattened JSON JWS of at most `limit` bytes.

    Raise MalformedError (JWS_MALFORMED, TOO_LARGE), or ALGORITHM_REFUSED if `alg` is none of ours.
    """
    if len(data) > limit:
        raise MalformedError(f"JWS of {len(data)} bytes", Code.TOO_LARGE)
    try:
        outer = _outer.decode(data)
        content = base64url.decode(outer.protected)
        payload, signature = base64url.decode(outer.payload), base64url.decode(outer.signature)
    except (msgspec.DecodeError, UnicodeDecodeError, MalformedError) as error:
        raise MalformedError(str(error), Code.JWS_MALFORMED) from None
    return UnverifiedJws(
        outer.protected,
        outer.payload,
        outer.signature,
        _parse_header(content),
        payload,
        signature,
    )


def verify(jws: UnverifiedJws, public_key: PublicKey) -> bytes:
    """Check the signature and return the payload.

    Raise KEY_UNSUITABLE for a key of a kind that we do not use, ALGORITHM_REFUSED if the header
    names an algorithm that does not fit the key, SIGNATURE_WRONG.
    """
    verify_signature(public_key, jws.signature_value, jws.signing_input(), jws.header.alg)
    return jws.unverified_payload


class JwsSigner:
    """Signs many messages of one type with one key: what does not change is encoded once."""

    def __init__(self, key: PrivateKey, typ: str, x5c: Sequence[bytes] | None = None) -> None:
        """Take the key, the type of message and the chain to send along (DER, leaf first)."""
        self._key = key
        self._algorithm = default_algorithm(key.public_key())
        self._header = JwsHeader(self._algorithm, typ, x5c=tuple(x5c) if x5c else None)
        self._protected = base64url.encode(_encoder.encode(self._header))

    def sign(self, payload: bytes, *, url: str | None = None, nonce: str | None = None) -> bytes:
        """Return the flattened JSON JWS over `payload`. Raise KEY_STORE_UNAVAILABLE."""
        protected = self._protected
        if url is not None or nonce is not None:
            header = msgspec.structs.replace(self._header, url=url, nonce=nonce)
            protected = base64url.encode(_encoder.encode(header))
        content = base64url.encode(payload)
        signature = self._key.sign(protected + b"." + content, self._algorithm)
        return b'{"protected":"%b","payload":"%b","signature":"%b"}' % (
            protected,
            content,
            base64url.encode(signature),
        )


def sign(
    payload: bytes,
    *,
    key: PrivateKey,
    typ: str,
    url: str | None = None,
    nonce: str | None = None,
    x5c: Sequence[bytes] | None = None,
) -> bytes:
    """Sign one message; see `JwsSigner` for many."""
    return JwsSigner(key, typ, x5c).sign(payload, url=url, nonce=nonce)


def _parse_header(content: bytes) -> JwsHeader:
    try:
        header = _header.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _refuse_algorithm(content)
        raise MalformedError(f"protected header: {error}", Code.JWS_MALFORMED) from None
    if header.crit is not msgspec.UNSET:
        # RFC 7515 section 4.1.11: we understand no critical extension.
        raise MalformedError("protected header: crit", Code.JWS_MALFORMED)
    return header


def _refuse_algorithm(content: bytes) -> None:
    """Raise ALGORITHM_REFUSED if the header is unreadable only for its `alg`, or also for it."""
    try:
        name = _algorithm_only.decode(content).alg
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    if name not in SignatureAlgorithm.__members__:
        raise HomeportError(Code.ALGORITHM_REFUSED, f"alg {name[:16]!r}")
