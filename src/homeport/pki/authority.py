# SPDX-License-Identifier: Apache-2.0
"""What a certification authority makes: CA certificates, leaves and revocation lists.

Pure: names, keys and times go in, certificates come out. Who may have which certificate is decided
in the CA room and at the factory.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from homeport.errors import Code, HomeportError
from homeport.keys import PrivateKey, PublicKey
from homeport.pki.certificates import extension_of, public_key_of, spki_of
from homeport.pki.names import DOMAIN_SIGNER, NO_EXPIRY
from homeport.pki.requests import hash_for
from homeport.pki.subjects import common_name, device_name, device_subject, platform_names


def _key_usage(*, leaf: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=leaf,
        key_cert_sign=not leaf,
        crl_sign=not leaf,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


LEAF_KEY_USAGE: Final = _key_usage(leaf=True)
CA_KEY_USAGE: Final = _key_usage(leaf=False)
SERVER_USAGE: Final = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
CLIENT_USAGE: Final = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
DOMAIN_SIGNER_USAGE: Final = x509.ExtendedKeyUsage([DOMAIN_SIGNER])


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a leaf certificate will say: everything except issuer, number and signature."""

    public_key: PublicKey
    subject: x509.Name
    alternative_names: x509.SubjectAlternativeName
    usage: x509.ExtendedKeyUsage
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Revocation:
    """One row of a revocation list: which certificate, since when, and why."""

    serial_number: int
    revoked_at: datetime
    reason: x509.ReasonFlags | None = None


class Issuer:
    """A CA certificate with its key; what all its certificates share is computed once."""

    def __init__(self, certificate: x509.Certificate, key: PrivateKey) -> None:
        """Take both halves; raise SETTING_WRONG if the key is not the certificate's."""
        public_key = public_key_of(certificate)
        if spki_of(public_key) != spki_of(key.public_key()):
            raise HomeportError(Code.SETTING_WRONG, "the CA's key does not fit its certificate")
        self.certificate: Final = certificate
        self.name: Final = certificate.subject
        self.hash: Final = hash_for(public_key)
        self.key_identifier: Final = _authority_key_identifier(certificate)
        self.crypto_key: Final = key.crypto_key()

    def sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        """Add issuer, number (159 random bits) and key identifier, and sign.

        Raise KEY_STORE_UNAVAILABLE if the token does not answer.
        """
        return (
            builder.issuer_name(self.name)
            .serial_number(x509.random_serial_number())
            .add_extension(self.key_identifier, critical=False)
            .sign(self.crypto_key, self.hash)
        )


def build_root(
    key: PrivateKey, name: str, not_before: datetime, years: int | None
) -> x509.Certificate:
    """Make a self-signed CA certificate; `years` None means for ever (99991231235959Z)."""
    builder = _ca_builder(key.public_key(), name, not_before, path_length=None)
    return (
        builder.issuer_name(common_name(name))
        .not_valid_after(_years_after(not_before, years))
        .serial_number(x509.random_serial_number())
        .sign(key.crypto_key(), hash_for(key.public_key()))
    )


def build_intermediate(
    issuer: Issuer, public_key: PublicKey, name: str, not_before: datetime, years: int | None
) -> x509.Certificate:
    """Make the certificate of a CA that issues leaves only; it ends no later than its issuer."""
    end = min(_years_after(not_before, years), issuer.certificate.not_valid_after_utc)
    builder = _ca_builder(public_key, name, not_before, path_length=0)
    return issuer.sign(builder.not_valid_after(end))


def build_leaf(leaf: Leaf, issuer: Issuer) -> x509.Certificate:
    """Make a leaf certificate exactly as described."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject)
        .public_key(leaf.public_key)
        .not_valid_before(leaf.not_before)
        .not_valid_after(leaf.not_after)
        .add_extension(LEAF_KEY_USAGE, critical=True)
        .add_extension(leaf.usage, critical=False)
        .add_extension(leaf.alternative_names, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(leaf.public_key), critical=False)
    )
    return issuer.sign(builder)


def server_leaf(
    public_key: PublicKey, names: list[str], not_before: datetime, not_after: datetime
) -> Leaf:
    """Describe a TLS server certificate for DNS names and IP addresses."""
    return _platform_leaf(public_key, names, SERVER_USAGE, (not_before, not_after))


def domain_signer_leaf(
    public_key: PublicKey, names: list[str], not_before: datetime, not_after: datetime
) -> Leaf:
    """Describe the certificate of the key that signs a platform's answers."""
    return _platform_leaf(public_key, names, DOMAIN_SIGNER_USAGE, (not_before, not_after))


def ldevid_leaf(
    public_key: PublicKey,
    device_id: str,
    serial_number: str,
    not_before: datetime,
    not_after: datetime,
) -> Leaf:
    """Describe a device's operational identity: its id as URI and common name, its number."""
    return Leaf(
        public_key=public_key,
        subject=device_subject(serial_number, device_id),
        alternative_names=device_name(device_id),
        usage=CLIENT_USAGE,
        not_before=not_before,
        not_after=not_after,
    )


def build_crl(
    issuer: Issuer,
    revocations: Iterable[Revocation],
    this_update: datetime,
    next_update: datetime,
    number: int,
) -> x509.CertificateRevocationList:
    """Make a revocation list (RFC 5280 section 5); `number` must rise from list to list."""
    # Given at once: the builder copies its whole list for each row that is added to it.
    builder = (
        x509.CertificateRevocationListBuilder(revoked_certificates=list(map(_revoked, revocations)))
        .issuer_name(issuer.name)
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(issuer.key_identifier, critical=False)
    )
    return builder.sign(issuer.crypto_key, issuer.hash)


def _revoked(revocation: Revocation) -> x509.RevokedCertificate:
    builder = (
        x509.RevokedCertificateBuilder()
        .serial_number(revocation.serial_number)
        .revocation_date(revocation.revoked_at)
    )
    if revocation.reason is not None:
        builder = builder.add_extension(x509.CRLReason(revocation.reason), critical=False)
    return builder.build()


def _platform_leaf(
    public_key: PublicKey,
    names: list[str],
    usage: x509.ExtendedKeyUsage,
    validity: tuple[datetime, datetime],
) -> Leaf:
    return Leaf(
        public_key=public_key,
        # The names that count are in the subjectAltName; a long one does not fit a common name.
        subject=common_name(names[0][:64]),
        alternative_names=platform_names(names),
        usage=usage,
        not_before=validity[0],
        not_after=validity[1],
    )


def _ca_builder(
    public_key: PublicKey, name: str, not_before: datetime, path_length: int | None
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(common_name(name))
        .public_key(public_key)
        .not_valid_before(not_before)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(CA_KEY_USAGE, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _authority_key_identifier(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = extension_of(certificate, x509.SubjectKeyIdentifier)
    if identifier is not None:
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key_of(certificate))


def _years_after(start: datetime, years: int | None) -> datetime:
    if years is None:
        return NO_EXPIRY
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        # 29 February, in a year that has none.
        return start.replace(year=start.year + years, day=28)
