# SPDX-License-Identifier: Apache-2.0
"""The key schedule and the tags of DPP authentication (sections 6.2.2 to 6.2.4).

    M = PI x BR                    k1 = HKDF(<>, "first intermediate key", M.x)
    N = PI x PR                    k2 = HKDF(<>, "second intermediate key", N.x)
    bk = HKDF-Extract(I-nonce | R-nonce, M.x | N.x)          ke = HKDF-Expand(bk, "DPP Key")
    R-auth = H(I-nonce | R-nonce | PI.x | PR.x | BR.x | 0)
    I-auth = H(R-nonce | I-nonce | PR.x | PI.x | BR.x | 1)

B are bootstrapping keys, P protocol keys, I the Initiator's, R the Responder's. Mutual
authentication adds L.x behind N.x, and BI.x beside BR.x.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from homeport.protocols.dpp.points import HASH_LENGTH, KeyAgreement, x_of

_FIRST: Final = b"first intermediate key"
_SECOND: Final = b"second intermediate key"
_LAST: Final = b"DPP Key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What both sides have seen of each other when the tags are made."""

    initiator_nonce: bytes
    responder_nonce: bytes
    initiator_key: ec.EllipticCurvePublicKey
    responder_key: ec.EllipticCurvePublicKey
    bootstrapping_key: ec.EllipticCurvePublicKey
    """The Responder's."""


def agree(own: KeyAgreement, peer: ec.EllipticCurvePublicKey) -> bytes:
    """Return the x coordinate of the shared point."""
    return own.exchange(ec.ECDH(), peer)


def first_key(m: bytes) -> bytes:
    """Return k1, which seals the request and refusals."""
    return _hkdf(m, None, _FIRST)


def second_key(n: bytes) -> bytes:
    """Return k2, which seals the response."""
    return _hkdf(n, None, _SECOND)


def last_key(transcript: Transcript, m: bytes, n: bytes) -> bytes:
    """Return ke, which seals everything after the response."""
    salt = transcript.initiator_nonce + transcript.responder_nonce
    return _hkdf(m + n, salt, _LAST)


def responder_tag(transcript: Transcript) -> bytes:
    """Return R-auth, 32 bytes."""
    return _hash(
        transcript.initiator_nonce,
        transcript.responder_nonce,
        x_of(transcript.initiator_key),
        x_of(transcript.responder_key),
        x_of(transcript.bootstrapping_key),
        b"\x00",
    )


def initiator_tag(transcript: Transcript) -> bytes:
    """Return I-auth, 32 bytes."""
    return _hash(
        transcript.responder_nonce,
        transcript.initiator_nonce,
        x_of(transcript.responder_key),
        x_of(transcript.initiator_key),
        x_of(transcript.bootstrapping_key),
        b"\x01",
    )


def _hkdf(secret: bytes, salt: bytes | None, purpose: bytes) -> bytes:
    """HKDF of RFC 5869; no salt is as many zeros as the hash is long."""
    return HKDF(hashes.SHA256(), HASH_LENGTH, salt, purpose).derive(secret)


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()
