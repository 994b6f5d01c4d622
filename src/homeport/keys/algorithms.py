# SPDX-License-Identifier: Apache-2.0
"""The signature algorithms (RFC 7518 section 3.1) and which key each belongs to.

The key decides the algorithm, never the sender of a message: an attacker who may choose turns a
public key into an HMAC secret, or asks for `none` (RFC 8725 section 3.1).
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Final, TypeGuard

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from homeport.errors import Code, HomeportError

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
"""A public key of a kind that we accept anywhere."""

CryptoKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
"""What the builders of `cryptography.x509` sign with; a token's key is a subclass of the first."""


class SignatureAlgorithm(StrEnum):
    """The algorithms we sign and verify with, by their JOSE names."""

    ES256 = "ES256"
    ES384 = "ES384"
    PS256 = "PS256"
    RS256 = "RS256"


RSA_BITS: Final = range(2048, 4097)
"""NIST SP 800-131A forbids less than 2048; more than 4096 lets a device burn our CPU time."""
RSA_EXPONENT_MAX: Final = 2**31 - 1
"""What Go's crypto/rsa takes, and so the broker. An exponent as long as the modulus makes each
verification cost as much as a signature, 200 times the usual."""

COORDINATE_SIZE: Final[Mapping[SignatureAlgorithm, int]] = {
    SignatureAlgorithm.ES256: 32,
    SignatureAlgorithm.ES384: 48,
}
"""Bytes of r, and of s, in a JOSE signature (RFC 7518 section 3.4)."""

ECDSA: Final[Mapping[SignatureAlgorithm, ec.ECDSA]] = {
    SignatureAlgorithm.ES256: ec.ECDSA(hashes.SHA256()),
    SignatureAlgorithm.ES384: ec.ECDSA(hashes.SHA384()),
}
RSA_PADDING: Final[Mapping[SignatureAlgorithm, padding.AsymmetricPadding]] = {
    # RFC 7518 section 3.5: the salt is as long as the hash.
    SignatureAlgorithm.PS256: padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size),
    SignatureAlgorithm.RS256: padding.PKCS1v15(),
}
SHA256: Final = hashes.SHA256()

_BY_CURVE: Final[Mapping[str, tuple[SignatureAlgorithm, ...]]] = {
    "secp256r1": (SignatureAlgorithm.ES256,),
    "secp384r1": (SignatureAlgorithm.ES384,),
}
_RSA: Final = (SignatureAlgorithm.PS256, SignatureAlgorithm.RS256)


# Once for each class: these are abstract, and `isinstance` asked a microsecond each time.
@cache
def _is_elliptic(kind: type) -> bool:
    return issubclass(kind, ec.EllipticCurvePublicKey)


@cache
def _is_rsa(kind: type) -> bool:
    return issubclass(kind, rsa.RSAPublicKey)


def is_elliptic(key: object) -> TypeGuard[ec.EllipticCurvePublicKey]:
    """Say whether it is a public key on a curve."""
    kind: type = type(key)
    return _is_elliptic(kind)


def is_rsa(key: object) -> TypeGuard[rsa.RSAPublicKey]:
    """Say whether it is a public RSA key."""
    kind: type = type(key)
    return _is_rsa(kind)


def algorithms_of(public_key: object) -> tuple[SignatureAlgorithm, ...]:
    """Return the algorithms that fit a public key, the preferred one first.

    Raise KEY_UNSUITABLE for any other kind, curve or size (Ed25519, P-521, RSA-1024, ...).
    """
    if is_elliptic(public_key):
        fitting = _BY_CURVE.get(public_key.curve.name)
        if fitting is not None:
            return fitting
        raise HomeportError(Code.KEY_UNSUITABLE, f"curve {public_key.curve.name}")
    if is_rsa(public_key):
        if public_key.key_size not in RSA_BITS:
            raise HomeportError(Code.KEY_UNSUITABLE, f"RSA with {public_key.key_size} bits")
        if public_key.public_numbers().e > RSA_EXPONENT_MAX:
            raise HomeportError(Code.KEY_UNSUITABLE, "RSA with a huge exponent")
        return _RSA
    raise HomeportError(Code.KEY_UNSUITABLE, type(public_key).__name__.lstrip("_"))


def suitable(public_key: object) -> PublicKey:
    """Return the key if it is of a kind that we accept anywhere, else raise KEY_UNSUITABLE."""
    algorithms_of(public_key)
    if is_elliptic(public_key) or is_rsa(public_key):
        return public_key
    raise HomeportError(Code.KEY_UNSUITABLE, type(public_key).__name__)


def default_algorithm(public_key: object) -> SignatureAlgorithm:
    """Return the algorithm to sign with: P-256 ES256, P-384 ES384, RSA PS256.

    Raise KEY_UNSUITABLE for any other kind of key.
    """
    return algorithms_of(public_key)[0]


def verify_signature(
    public_key: PublicKey, signature: bytes, data: bytes, algorithm: SignatureAlgorithm
) -> None:
    """Check a signature in JOSE form.

    Raise KEY_UNSUITABLE for a key of a kind that we do not use, ALGORITHM_REFUSED if the algorithm
    does not fit the key, SIGNATURE_WRONG.
    """
    if algorithm not in algorithms_of(public_key):
        raise HomeportError(Code.ALGORITHM_REFUSED, f"{algorithm} for another kind of key")
    try:
        if is_rsa(public_key):
            public_key.verify(signature, data, RSA_PADDING[algorithm], SHA256)
        # Another length would give the numbers r and s for other bytes as well.
        elif is_elliptic(public_key) and len(signature) == 2 * COORDINATE_SIZE[algorithm]:
            public_key.verify(der_from_jose(signature), data, ECDSA[algorithm])
        else:
            raise InvalidSignature
    except InvalidSignature:
        raise HomeportError(Code.SIGNATURE_WRONG) from None


def jose_from_der(signature: bytes, algorithm: SignatureAlgorithm) -> bytes:
    """Turn a DER ECDSA signature into r and s side by side (RFC 7518 section 3.4)."""
    size = COORDINATE_SIZE[algorithm]
    r, s = decode_dss_signature(signature)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def der_from_jose(signature: bytes) -> bytes:
    """Turn r and s side by side into a DER ECDSA signature."""
    half = len(signature) // 2
    return encode_dss_signature(
        int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    )
