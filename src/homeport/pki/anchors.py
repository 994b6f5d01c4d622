# SPDX-License-Identifier: Apache-2.0
"""Trust anchors: certificates trusted without proof, for one purpose each.

The three purposes never stand in for each other (product decision 1): who may name devices may
not thereby speak for a platform, and the other way round. Every verification names the purpose
that it needs, and anchors for another one are refused.
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.x509.verification import Store

from homeport.errors import Code, HomeportError
from homeport.pki.certificates import (
    authority_id,
    der_of,
    issuer_name,
    public_key_of,
    subject_name,
)


class Purpose(StrEnum):
    """What a trust anchor is trusted for."""

    IDEVID = "idevid"  # to say which device this is
    PLATFORM = "platform"  # to say which platform this is
    VOUCHER = "voucher"  # to say who owns a device


class Anchors:
    """The trust anchors for one purpose. Never changes; a new set is a new object."""

    def __init__(self, purpose: Purpose, certificates: Sequence[x509.Certificate]) -> None:
        """Take the certificates; raise MalformedError or KEY_UNSUITABLE for an unusable one."""
        self.purpose: Final = purpose
        self.certificates: Final = tuple(certificates)
        encoded = sorted(der_of(certificate) for certificate in self.certificates)
        self.version: Final = hashlib.sha256(
            b"".join(hashlib.sha256(der).digest() for der in encoded)
        ).digest()
        """Names this very set: what is cached under it is not used with another."""
        for certificate in self.certificates:
            public_key_of(certificate)
        self._subjects = frozenset(map(subject_name, self.certificates))
        self._store = Store(list(self.certificates)) if self.certificates else None

    def __len__(self) -> int:
        return len(self.certificates)

    def __repr__(self) -> str:
        names = ", ".join(authority_id(certificate) for certificate in self.certificates)
        return f"Anchors({self.purpose}: {names})"

    def store(self, purpose: Purpose) -> Store:
        """Return the certificates for path building, for this purpose.

        Raise CHAIN_UNTRUSTED for another purpose, ISSUER_UNKNOWN if there are none.
        """
        if purpose is not self.purpose:
            detail = f"anchors for {self.purpose} do not prove {purpose}"
            raise HomeportError(Code.CHAIN_UNTRUSTED, detail)
        if self._store is None:
            raise HomeportError(Code.ISSUER_UNKNOWN, f"no trust anchors for {purpose}")
        return self._store

    def may_have_issued(self, certificates: Sequence[x509.Certificate]) -> bool:
        """Say whether any of the certificates names one of the anchors as its issuer.

        Raise MalformedError if a name cannot be read.
        """
        return any(issuer_name(certificate) in self._subjects for certificate in certificates)
