# SPDX-License-Identifier: Apache-2.0
"""Keys on P-256 as Wi-Fi Easy Connect writes them (sections 3.2, 5.2.1 and 8.1).

Bootstrapping keys travel as SubjectPublicKeyInfo with the *compressed* point, and the SHA-256 of
exactly those octets names the key; protocol keys travel as x and y side by side. A point that is
not on the curve is refused wherever it comes from (invalid-curve attacks). Other curves come with
another row of sizes and another SPKI prefix here; nothing else knows the curve.
"""

import hashlib
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from homeport.errors import Code, MalformedError

CURVE: Final = ec.SECP256R1()
COORDINATE_LENGTH: Final = 32
"""Bytes of x, and of y."""
POINT_LENGTH: Final = 2 * COORDINATE_LENGTH
"""Bytes of x and y side by side."""
NONCE_LENGTH: Final = 16
"""Bytes of every nonce on this curve (section 3.2)."""
HASH_LENGTH: Final = 32
"""Bytes: the curve's hash is SHA-256."""
SPKI_LENGTH: Final = 59
"""Bytes of a SubjectPublicKeyInfo with a compressed point."""
_SPKI_PREFIX: Final = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
"""SEQUENCE { ecPublicKey, prime256v1 } and the header of the BIT STRING (RFC 5480 section 2)."""
_UNCOMPRESSED: Final = b"\x04"


class KeyAgreement(Protocol):
    """A private key that agrees on a secret, wherever it lives.

    `ec.EllipticCurvePrivateKey` is one; a key in a token is another.
    """

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the public half."""
        ...

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        """Return the x coordinate of the shared point, 32 bytes."""
        ...


def make_key() -> ec.EllipticCurvePrivateKey:
    """Make a fresh key pair."""
    return ec.generate_private_key(CURVE)


def read_point(octets: bytes) -> ec.EllipticCurvePublicKey:
    """Read x and y side by side; raise MalformedError if they are no point of the curve."""
    if len(octets) != POINT_LENGTH:
        raise MalformedError(f"a key of {len(octets)} bytes", Code.DPP_MALFORMED)
    return _on_curve(_UNCOMPRESSED + octets, Code.DPP_MALFORMED)


def write_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return x and y side by side, 64 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def x_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return x, 32 bytes."""
    return write_point(key)[:COORDINATE_LENGTH]


def read_spki(der: bytes) -> ec.EllipticCurvePublicKey:
    """Read a bootstrapping key; raise MalformedError unless it is a compressed point on P-256."""
    if len(der) != SPKI_LENGTH or not der.startswith(_SPKI_PREFIX):
        raise MalformedError("the key is no compressed point on P-256", Code.DPP_URI_MALFORMED)
    return _on_curve(der[len(_SPKI_PREFIX) :], Code.DPP_URI_MALFORMED)


def write_spki(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the SubjectPublicKeyInfo with the compressed point, 59 bytes."""
    return _SPKI_PREFIX + key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def key_hash(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return what names a bootstrapping key in messages: SHA-256 of its SubjectPublicKeyInfo."""
    return hashlib.sha256(write_spki(key)).digest()


def _on_curve(encoded: bytes, code: Code) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, encoded)
    except ValueError:
        raise MalformedError("not a point on P-256", code) from None
