# SPDX-License-Identifier: Apache-2.0
"""Public keys on P-256 as JWK (RFC 7517, RFC 7518 section 6.2), and the key id of a signing key.

The key id of DPP is SHA-256 over the uncompressed point (section 4.2), not an RFC 7638 thumbprint.
"""

import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from homeport.errors import Code, MalformedError
from homeport.protocols.dpp.configuration.members import Json, Members, to_base64url
from homeport.protocols.dpp.points import COORDINATE_LENGTH, read_point, write_point

KEY_ID_MAX: Final = 128
"""Characters; SHA-256 in base64url has 43."""
_UNCOMPRESSED: Final = b"\x04"


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """Return what connectors call the key that signed them."""
    return to_base64url(hashlib.sha256(_UNCOMPRESSED + write_point(key)).digest())


def write_jwk(key: ec.EllipticCurvePublicKey, **more: str) -> Json:
    """Return the key as JWK, with more members such as `kid`."""
    point = write_point(key)
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": to_base64url(point[:COORDINATE_LENGTH]),
        "y": to_base64url(point[COORDINATE_LENGTH:]),
        **more,
    }


def read_jwk(jwk: Members) -> ec.EllipticCurvePublicKey:
    """Read a key; raise MalformedError if it is none on P-256."""
    if (jwk.text("kty", 16), jwk.text("crv", 16)) != ("EC", "P-256"):
        raise MalformedError("a JWK that is not on P-256", Code.DPP_MALFORMED)
    point = [jwk.url_octets(name, COORDINATE_LENGTH) for name in ("x", "y")]
    return read_point(b"".join(point))
