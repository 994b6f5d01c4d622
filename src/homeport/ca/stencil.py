# SPDX-License-Identifier: Apache-2.0
"""Certificates written from a stencil: what those of one profile have in common is encoded once.

`cryptography` encodes names, keys and extensions; only the sequences around them (RFC 5280 section
4.1) are put together here. `tests/unit/ca/test_ca_stencil.py` compares them, byte for byte, with
what its `CertificateBuilder` makes; that one looks at every part of every certificate anew, which
took twice as long as to sign it.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from homeport.ca.checks import Plan
from homeport.pki import der
from homeport.pki.authority import LEAF_KEY_USAGE, Issuer
from homeport.pki.certificates import spki_of

_VERSION_3: Final = bytes.fromhex("a003020102")
_EXTENSIONS: Final = 0xA3
_RSA_SHA256: Final = bytes.fromhex("300d06092a864886f70d01010b0500")  # RFC 4055 section 5
_ECDSA: Final = {
    "sha256": bytes.fromhex("300a06082a8648ce3d040302"),  # RFC 5758 section 3.2
    "sha384": bytes.fromhex("300a06082a8648ce3d040303"),
}
_KEY_IDENTIFIER: Final = der.object_identifier(x509.SubjectKeyIdentifier.oid)
_ALTERNATIVE_NAMES: Final = der.object_identifier(x509.SubjectAlternativeName.oid)


class Seal:
    """An issuer's signature under what was written."""

    def __init__(self, issuer: Issuer) -> None:
        """Take the issuer; its key decides the algorithm."""
        self._key, self._hash = issuer.crypto_key, issuer.hash
        self._ecdsa = ec.ECDSA(issuer.hash)
        is_rsa = isinstance(self._key, rsa.RSAPrivateKey)
        self.algorithm: Final = _RSA_SHA256 if is_rsa else _ECDSA[issuer.hash.name]
        """An AlgorithmIdentifier; stands in the TBSCertificate, too."""

    def sign(self, unsigned: bytes) -> bytes:
        """Return the certificate over a TBSCertificate.

        Raise KEY_STORE_UNAVAILABLE if the key's place does not answer.
        """
        if isinstance(self._key, rsa.RSAPrivateKey):
            signature = self._key.sign(unsigned, padding.PKCS1v15(), self._hash)
        else:
            signature = self._key.sign(unsigned, self._ecdsa)
        return der.element(der.SEQUENCE, unsigned, self.algorithm, der.bit_string(signature))


class Stencil:
    """For leaves of one issuer with one extendedKeyUsage."""

    def __init__(self, issuer: Issuer, algorithm: bytes, usage: x509.ExtendedKeyUsage) -> None:
        """Encode what they have in common; `algorithm` is that of the issuer's seal."""
        self._issuer = algorithm + issuer.name.public_bytes()
        self._extensions = (
            _extension(issuer.key_identifier)
            + _extension(LEAF_KEY_USAGE, critical=True)
            + _extension(usage)
        )

    def unsigned(
        self, plan: Plan, serial_number: int, identifier: x509.SubjectKeyIdentifier
    ) -> bytes:
        """Return the TBSCertificate: every byte that will be signed."""
        draft = plan.draft
        key, names = identifier.public_bytes(), draft.alternative_names.public_bytes()
        extensions = der.element(
            der.SEQUENCE,
            self._extensions,
            der.element(der.SEQUENCE, _KEY_IDENTIFIER, der.octet_string(key)),
            der.element(der.SEQUENCE, _ALTERNATIVE_NAMES, der.octet_string(names)),
        )
        return der.element(
            der.SEQUENCE,
            _VERSION_3,
            der.integer(serial_number),
            self._issuer,
            _validity(plan.not_before, plan.not_after),
            draft.subject.public_bytes(),
            spki_of(draft.public_key),
            der.element(_EXTENSIONS, extensions),
        )


def _extension(value: x509.ExtensionType, *, critical: bool = False) -> bytes:
    return der.element(
        der.SEQUENCE,
        der.object_identifier(value.oid),
        der.TRUE if critical else b"",
        der.octet_string(value.public_bytes()),
    )


@lru_cache(maxsize=16)
def _validity(not_before: datetime, not_after: datetime) -> bytes:
    """Certificates of one second have the same."""
    times = (der.time(at.astimezone(UTC)) for at in (not_before, not_after))
    return der.element(der.SEQUENCE, *times)
