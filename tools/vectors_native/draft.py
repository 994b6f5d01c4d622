# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S101  (a recipe that is wrong must fail when it is played)
"""A request that is right in everything, until a recipe makes one thing wrong."""

import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tools.vectors_native.identities import Identity, Key, spki

ABSENT: Final = object()
"""As the value of a member: leave it out."""

Signature = Callable[[Key, bytes], bytes]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A request before it is signed."""

    signer: Identity
    header: Mapping[str, object]
    payload: Mapping[str, object] | bytes

    def with_header(self, **members: object) -> Self:
        """Change members of the protected header."""
        return replace(self, header={**self.header, **members})

    def with_payload(self, **members: object) -> Self:
        """Change members of the payload."""
        assert isinstance(self.payload, Mapping)
        return replace(self, payload={**self.payload, **members})

    def with_text(self, change: Callable[[bytes], bytes]) -> Self:
        """Change the payload's JSON itself."""
        return replace(self, payload=change(self.payload_text()))

    def payload_text(self) -> bytes:
        """Return the payload as it will be signed."""
        return self.payload if isinstance(self.payload, bytes) else as_json(self.payload)

    def parts(self, sign: Signature | None = None) -> dict[str, Any]:
        """Return the members of the JWS, signed as the header's `alg` says or by `sign`."""
        return self.signed_over(as_json(self.header), sign)

    def signed_over(self, header: bytes, sign: Signature | None = None) -> dict[str, Any]:
        """Return the members of the JWS with this very text as its protected header."""
        protected, payload = base64url(header), base64url(self.payload_text())
        sign = sign or SIGNATURES[str(self.header["alg"])]
        signature = sign(self.signer.key, f"{protected}.{payload}".encode())
        return {"protected": protected, "payload": payload, "signature": base64url(signature)}

    def body(self, sign: Signature | None = None) -> bytes:
        """Return the whole request."""
        return as_json(self.parts(sign))


def as_json(members: Mapping[str, object]) -> bytes:
    """Write JSON without the members that are ABSENT."""
    present = {name: value for name, value in members.items() if value is not ABSENT}
    return json.dumps(present, separators=(",", ":"), ensure_ascii=False).encode()


def base64url(octets: bytes) -> str:
    """RFC 7515 section 2."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def base64(octets: bytes) -> str:
    """RFC 4648 section 4."""
    return b64encode(octets).decode()


def sign_ecdsa(key: Key, data: bytes, algorithm: hashes.HashAlgorithm, size: int) -> bytes:
    """Return r and s of `size` octets each (RFC 7518 section 3.4)."""
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(algorithm)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def sign_es256(key: Key, data: bytes) -> bytes:
    """RFC 7518 section 3.4, P-256."""
    return sign_ecdsa(key, data, hashes.SHA256(), 32)


def sign_es384(key: Key, data: bytes) -> bytes:
    """RFC 7518 section 3.4, P-384; also used with a P-256 key, which it does not fit."""
    return sign_ecdsa(key, data, hashes.SHA384(), 48)


def sign_ecdsa_der(key: Key, data: bytes) -> bytes:
    """As X.509 writes it, and JOSE does not."""
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def sign_ps256(key: Key, data: bytes) -> bytes:
    """RFC 7518 section 3.5."""
    assert isinstance(key, rsa.RSAPrivateKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
    return key.sign(data, pss, hashes.SHA256())


def sign_rs256(key: Key, data: bytes) -> bytes:
    """RFC 7518 section 3.3."""
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def sign_hs256(key: Key, data: bytes) -> bytes:
    """RFC 7518 section 3.2, with the *public* key as the secret: the classical forgery."""
    return hmac.digest(spki(key), data, "sha256")


def sign_none(_key: Key, _data: bytes) -> bytes:
    """RFC 7518 section 3.6."""
    return b""


SIGNATURES: Final[Mapping[str, Signature]] = {
    "ES256": sign_es256,
    "ES384": sign_es384,
    "PS256": sign_ps256,
    "RS256": sign_rs256,
    "HS256": sign_hs256,
    "none": sign_none,
}
