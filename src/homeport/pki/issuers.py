# SPDX-License-Identifier: Apache-2.0
"""Issuers whose chain was checked before, so that the next device costs one signature.

Devices of one batch send the same intermediates. What was proven of them holds for every leaf
below them if it does not depend on the leaf: so a chain with name constraints is not kept, the
time of the leaf is compared with the time in which the whole chain was valid, and the key holds
the version of the trust anchors. The path length is the same for every leaf.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from homeport.pki.anchors import Anchors
from homeport.pki.certificates import READ_ERRORS, authority_id, extension_of, issuer_name
from homeport.pki.requests import SIGNATURE_HASHES

CAPACITY: Final = 1_024
"""Chains kept, about 5 kB each; a platform sees tens of issuers, and an attacker fills nothing:
only what leads to a trust anchor is kept."""


@dataclass(frozen=True, slots=True)
class CachedIssuer:
    """A checked issuer of leaves, its anchor, and when the whole chain above a leaf is valid."""

    issuer: x509.Certificate
    anchor: x509.Certificate
    authority_id: str
    not_before: datetime
    not_after: datetime
    depends_on_leaf: bool

    @classmethod
    def of(cls, chain: Sequence[x509.Certificate]) -> Self:
        """Take a checked chain without its leaf: direct issuer first, anchor last."""
        return cls(
            issuer=chain[0],
            anchor=chain[-1],
            authority_id=authority_id(chain[-1]),
            not_before=max(certificate.not_valid_before_utc for certificate in chain),
            not_after=min(certificate.not_valid_after_utc for certificate in chain),
            depends_on_leaf=any(
                extension_of(certificate, x509.NameConstraints) is not None for certificate in chain
            ),
        )


class IssuerCache:
    """The issuers checked most recently. Safe to use from several threads."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Keep at most `capacity` chains."""
        self._capacity = capacity
        self._known: OrderedDict[bytes, CachedIssuer] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._known)

    def find(
        self, leaf: x509.Certificate, intermediates: Sequence[bytes], anchors: Anchors
    ) -> CachedIssuer | None:
        """Return the known issuer of `leaf` if its signature holds; None means "check it all".

        The caller has applied the rules for the leaf itself.
        """
        key = _key(leaf, intermediates, anchors)
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
        if known is None or not known.not_before <= leaf.not_valid_before_utc <= known.not_after:
            return None
        return known if is_issued_by(leaf, known.issuer) else None

    def remember(
        self,
        leaf: x509.Certificate,
        intermediates: Sequence[bytes],
        anchors: Anchors,
        issuer: CachedIssuer,
    ) -> None:
        """Keep a checked issuer, unless what was proven depends on the leaf."""
        if issuer.depends_on_leaf:
            return
        key = _key(leaf, intermediates, anchors)
        with self._lock:
            self._known[key] = issuer
            self._known.move_to_end(key)
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)


def is_issued_by(leaf: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Say whether `issuer` signed `leaf` (name and signature), with a hash that still holds."""
    try:
        algorithm = leaf.signature_hash_algorithm
        if algorithm is None or algorithm.name not in SIGNATURE_HASHES:
            return False
        leaf.verify_directly_issued_by(issuer)
    except (*READ_ERRORS, InvalidSignature):
        return False
    return True


def _key(leaf: x509.Certificate, intermediates: Sequence[bytes], anchors: Anchors) -> bytes:
    digest = hashlib.sha256(anchors.version)
    for der in intermediates:
        digest.update(len(der).to_bytes(4, "big"))
        digest.update(der)
    if not intermediates:
        # The anchor itself is the issuer: which one, the leaf says.
        digest.update(issuer_name(leaf))
    return digest.digest()
