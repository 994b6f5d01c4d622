# SPDX-License-Identifier: Apache-2.0
"""The DPP bootstrapping key of a device, as labels and manifests carry it.

Wi-Fi Easy Connect 3.0 section 5.2.1: the URI holds the SubjectPublicKeyInfo with the *compressed*
point, and what names the key on the air is the SHA-256 of exactly those octets.
"""

import base64
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from homeport.errors import MalformedError

POINT_LENGTH: Final = 33
"""Bytes of a compressed point on P-256 (SEC 1 section 2.3.3)."""
_SPKI_PREFIX: Final = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
"""SEQUENCE { ecPublicKey, prime256v1 } and the header of the BIT STRING (RFC 5480 section 2)."""


def compressed_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the key as a compressed point, 33 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def dpp_spki(point: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo that the DPP URI carries."""
    return _SPKI_PREFIX + point


def point_of_spki(spki: bytes) -> bytes:
    """Return the compressed point in a SubjectPublicKeyInfo of that form; raise MalformedError."""
    if not spki.startswith(_SPKI_PREFIX) or len(spki) != len(_SPKI_PREFIX) + POINT_LENGTH:
        raise MalformedError("not a compressed P-256 key")
    return spki[len(_SPKI_PREFIX) :]


def check_point(point: bytes) -> None:
    """Refuse what is not a compressed point on P-256 (MalformedError)."""
    if len(point) != POINT_LENGTH:
        raise MalformedError("a DPP key is a compressed point of 33 bytes")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise MalformedError("the DPP key is not a point on P-256") from None


def dpp_uri(point: bytes) -> str:
    """Return the bootstrapping URI (section 5.2.1): version 2 and the key."""
    return f"DPP:V:2;K:{base64.b64encode(dpp_spki(point)).decode()};;"
