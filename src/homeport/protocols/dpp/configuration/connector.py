# SPDX-License-Identifier: Apache-2.0
"""Connectors: what a device shows to access points instead of a password (section 4.2).

A compact JWS by the Configurator's signing key over the device's network access key, which is its
protocol key of this exchange. Whoever trusts that signing key lets the holder of the access key in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import PrivateKey, SignatureAlgorithm, verify_signature
from homeport.keys.algorithms import is_elliptic
from homeport.protocols.dpp.configuration.jwk import KEY_ID_MAX, key_id, read_jwk, write_jwk
from homeport.protocols.dpp.configuration.members import (
    Members,
    from_base64url,
    read_json,
    to_base64url,
    write_json,
)

CONNECTOR_MAX: Final = 4_096
"""Characters; with one group it has 600."""
GROUPS_MAX: Final = 32
TEXT_MAX: Final = 64
_SIGNATURE_LENGTH: Final = 64
_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Group:
    """A group of devices that may connect with each other, and the part that this one plays."""

    id: str = "*"
    role: str = "sta"


@dataclass(frozen=True, slots=True)
class Connector:
    """What a connector says, after its signature was verified."""

    signed: str
    """The compact JWS, as it is shown to access points."""
    access_key: ec.EllipticCurvePublicKey
    groups: tuple[Group, ...]
    expiry: datetime | None = None
    """UTC; compared with no clock here: a device that is configured may not know the time yet."""


def sign_connector(
    signer: PrivateKey,
    access_key: ec.EllipticCurvePublicKey,
    groups: Sequence[Group] = (Group(),),
    expiry: datetime | None = None,
) -> Connector:
    """Sign a connector for a device's network access key.

    Raise KEY_UNSUITABLE unless the signer's key is on P-256.
    """
    header = {"typ": "dppCon", "kid": key_id(signing_key(signer)), "alg": "ES256"}
    body = {
        "groups": [{"groupId": group.id, "netRole": group.role} for group in groups],
        "netAccessKey": write_jwk(access_key),
    }
    if expiry is not None:
        body["expiry"] = expiry.isoformat(timespec="seconds")
    text = ".".join(to_base64url(write_json(part)) for part in (header, body))
    signature = signer.sign(text.encode(), SignatureAlgorithm.ES256)
    signed = f"{text}.{to_base64url(signature)}"
    return Connector(signed, access_key, tuple(groups), expiry)


def verify_connector(signed: str, signing: ec.EllipticCurvePublicKey) -> Connector:
    """Verify a connector by the key that is said to have signed it, and read it.

    Raise MalformedError, or CONNECTOR_UNPROVEN if another key signed it.
    """
    parts = signed.split(".")
    if len(signed) > CONNECTOR_MAX or len(parts) != _PARTS:
        raise MalformedError("a connector has three parts", Code.DPP_MALFORMED)
    octets = [from_base64url(part, CONNECTOR_MAX, Code.DPP_MALFORMED) for part in parts]
    header = read_json(octets[0])
    named = [header.text(name, KEY_ID_MAX) for name in ("typ", "kid", "alg")]
    if named != ["dppCon", key_id(signing), "ES256"]:
        raise HomeportError(Code.CONNECTOR_UNPROVEN, "it names another key, kind or algorithm")
    if "crit" in header:  # RFC 7515 section 4.1.11: whoever does not know it refuses
        raise HomeportError(Code.CONNECTOR_UNPROVEN, "it counts on conditions that nobody knows")
    try:
        text = signed.rpartition(".")[0].encode()
        verify_signature(signing, octets[2], text, SignatureAlgorithm.ES256)
    except HomeportError:
        raise HomeportError(Code.CONNECTOR_UNPROVEN, "its signature is wrong") from None
    return _read_body(signed, read_json(octets[1]))


def signing_key(signer: PrivateKey) -> ec.EllipticCurvePublicKey:
    """Return the public half of a signing key; raise KEY_UNSUITABLE unless it is on P-256."""
    key = signer.public_key()
    if not is_elliptic(key) or key.curve.name != ec.SECP256R1.name:
        raise HomeportError(Code.KEY_UNSUITABLE, "connectors are signed on P-256")
    return key


def _read_body(signed: str, body: Members) -> Connector:
    groups = tuple(
        Group(each.text("groupId", TEXT_MAX), each.text("netRole", TEXT_MAX))
        for each in body.many("groups", GROUPS_MAX)
    )
    if not groups:
        raise body.wrong("groups")
    expiry = _read_expiry(body) if "expiry" in body else None
    return Connector(signed, read_jwk(body.inner("netAccessKey")), groups, expiry)


def _read_expiry(body: Members) -> datetime:
    try:
        expiry = datetime.fromisoformat(body.text("expiry", TEXT_MAX))
        if expiry.tzinfo is None:
            raise body.wrong("expiry")
        return expiry.astimezone(UTC)
    except (ValueError, OverflowError):
        raise body.wrong("expiry") from None
