# SPDX-License-Identifier: Apache-2.0
"""Making the platform's CAs: root, intermediates, and intermediates under somebody else's root.

An intermediate has no CA below it and is limited to the purposes of its leaves: with the key of the
one that certifies devices nobody can make a TLS server that devices believe, and with the key of
the other nobody can make a device that the broker lets in (RFC 5280 section 4.2.1.12; limits on
CAs are honoured by OpenSSL, Go and rustls).
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from homeport.errors import Code, HomeportError
from homeport.keys import PrivateKey, PublicKey, suitable
from homeport.pki.authority import CA_KEY_USAGE, Issuer, build_root
from homeport.pki.certificates import READ_ERRORS, extension_of, public_key_of, spki_of
from homeport.pki.names import DOMAIN_SIGNER
from homeport.pki.requests import hash_for
from homeport.pki.subjects import common_name

ROOT_YEARS: Final = 30
"""Longer than a machine is in use: devices hold the root, and a new one must reach them all."""

INTERMEDIATE_YEARS: Final = 10
"""Renewed with the same key at two thirds, if the root's key is at hand."""

CHAIN_LENGTHS: Final = range(2, 6)
"""Certificates from an intermediate to its root; company PKIs have three."""


class Purposes(Enum):
    """What an intermediate's leaves are for."""

    DEVICES = (ExtendedKeyUsageOID.CLIENT_AUTH,)
    SERVICES = (ExtendedKeyUsageOID.SERVER_AUTH, DOMAIN_SIGNER)


def make_root(key: PrivateKey, name: str, now: datetime) -> x509.Certificate:
    """Make a self-signed root for 30 years."""
    return build_root(key, name, now.replace(microsecond=0), ROOT_YEARS)


def make_intermediate(
    root: Issuer, public_key: PublicKey, name: str, purposes: Purposes, now: datetime
) -> x509.Certificate:
    """Certify an intermediate CA for ten years, or as long as its root."""
    start = now.replace(microsecond=0)
    end = min(_after_years(start, INTERMEDIATE_YEARS), root.certificate.not_valid_after_utc)
    builder = x509.CertificateBuilder().subject_name(common_name(name)).public_key(public_key)
    builder = builder.not_valid_before(start).not_valid_after(end)
    identifier = x509.SubjectKeyIdentifier.from_public_key(public_key)
    for extension, critical in (*_extensions(purposes), (identifier, False)):
        builder = builder.add_extension(extension, critical=critical)
    return root.sign(builder)


def request_intermediate(key: PrivateKey, name: str, purposes: Purposes) -> bytes:
    """Make a PKCS#10 request (PEM) for an intermediate, to be signed by an offline root."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(common_name(name))
    for extension, critical in _extensions(purposes):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key.crypto_key(), hash_for(key.public_key())).public_bytes(Encoding.PEM)


def sign_intermediate_request(
    root: Issuer, request_pem: bytes, name: str, purposes: Purposes, now: datetime
) -> x509.Certificate:
    """Certify an intermediate by its request: done where the root's key is, away from the network.

    The request decides only the key. Raise CSR_MALFORMED or CSR_UNPROVEN.
    """
    try:
        request = x509.load_pem_x509_csr(request_pem)
        proven = request.is_signature_valid
        public_key = request.public_key()
    except READ_ERRORS as error:
        raise HomeportError(Code.CSR_MALFORMED, str(error)) from None
    if not proven:
        raise HomeportError(Code.CSR_UNPROVEN, "the request for an intermediate")
    return make_intermediate(root, suitable(public_key), name, purposes, now)


def check_chain(
    chain: Sequence[x509.Certificate], key: PublicKey, purposes: Purposes, now: datetime
) -> None:
    """Check what an external CA sent: intermediate first, each signed by the next, root at the end.

    Raise CHAIN_UNTRUSTED that says what is wrong.
    """
    if len(chain) not in CHAIN_LENGTHS:
        raise _wrong(f"{len(chain)} certificates; intermediate first, root last")
    if spki_of(public_key_of(chain[0])) != spki_of(key):
        raise _wrong("the first certificate is not for the key that was requested")
    for certificate in chain:
        _check_ca(certificate, purposes, now)
    issuers = (*chain[1:], chain[-1])
    for certificate, issuer in zip(chain, issuers, strict=True):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (*READ_ERRORS, InvalidSignature):
            detail = f"{_name(certificate)} is not signed by {_name(issuer)}"
            raise _wrong(detail) from None


def _check_ca(certificate: x509.Certificate, purposes: Purposes, now: datetime) -> None:
    name = _name(certificate)
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise _wrong(f"{name} is not valid now")
    constraints = extension_of(certificate, x509.BasicConstraints)
    usage = extension_of(certificate, x509.KeyUsage)
    if constraints is None or not constraints.ca:
        raise _wrong(f"{name} is not a CA")
    if usage is not None and not (usage.key_cert_sign and usage.crl_sign):
        raise _wrong(f"{name} may not sign certificates and revocation lists")
    allowed = extension_of(certificate, x509.ExtendedKeyUsage)
    if allowed is None or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in allowed:
        return
    for purpose in purposes.value:
        if purpose not in allowed:
            raise _wrong(f"{name} is not for {purpose.dotted_string}")


def _extensions(purposes: Purposes) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    return (
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (CA_KEY_USAGE, True),
        (x509.ExtendedKeyUsage(purposes.value), False),
    )


def _after_years(start: datetime, years: int) -> datetime:
    # 29 February has no equal in most years; a day less harms nobody.
    return start.replace(year=start.year + years, day=min(start.day, 28))


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _wrong(detail: str) -> HomeportError:
    return HomeportError(Code.CHAIN_UNTRUSTED, detail)
