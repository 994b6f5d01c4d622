# SPDX-License-Identifier: Apache-2.0
"""Certificates read from foreign bytes, and what we ask of them.

`cryptography` reads extensions and keys only when asked, and raises several kinds of exception
then; the functions here turn all of them into MalformedError (CERTIFICATE_MALFORMED). Nothing here
trusts a certificate: that is `chains.py`.
"""

import base64
import hashlib
import warnings
from collections.abc import Iterable
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys.algorithms import PublicKey, suitable
from homeport.pki.names import DEVICE_URI

Extension = TypeVar("Extension", bound=x509.ExtensionType)

CERTIFICATE_LIMIT: Final = 4_096
"""Bytes of one DER certificate; with RSA-4096 and many extensions they take 2.5 kB."""
BUNDLE_LIMIT: Final = 1_048_576
"""Bytes of a PEM file; the web's 150 roots take 220 kB."""
SERIAL_NUMBER_LIMIT: Final = 64
"""Characters of an X.520 serialNumber (ub-serial-number, RFC 5280 appendix A.1)."""
AUTHORITY_ID_LENGTH: Final = 16
"""Characters of 5 bits: 80 bits, enough against chance; trust never rests on it alone."""

READ_ERRORS: Final = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
    CryptographyDeprecationWarning,
)
"""What `cryptography` raises for bytes that it cannot read."""

# What it only warns about (a serial number that is not positive, say) RFC 5280 forbids: refused.
warnings.filterwarnings("error", "", CryptographyDeprecationWarning, r"homeport\.pki\.")


def parse_certificate(der: bytes) -> x509.Certificate:
    """Read one DER certificate of at most 4 kB; raise MalformedError."""
    if len(der) > CERTIFICATE_LIMIT:
        raise _malformed(f"{len(der)} bytes")
    try:
        return x509.load_der_x509_certificate(der)
    except READ_ERRORS as error:
        raise _malformed(str(error)) from None


def parse_intermediates(ders: Iterable[bytes]) -> list[x509.Certificate]:
    """Read the CA certificates beside a leaf, before a path through them is built.

    Two of one name would be two ways on at every step: five of them, made by anybody, cost 128
    signatures. Nor may the keys be such that one signature is dear. Raise MalformedError,
    KEY_UNSUITABLE, or CHAIN_UNTRUSTED for two of one name.
    """
    parsed = [parse_certificate(der) for der in ders]
    if len({subject_name(certificate) for certificate in parsed}) < len(parsed):
        raise HomeportError(Code.CHAIN_UNTRUSTED, "two certificates of one name in the chain")
    for certificate in parsed:
        public_key_of(certificate)
    return parsed


def load_bundle(pem: bytes) -> list[x509.Certificate]:
    """Read the certificates of a PEM file, one or more; raise MalformedError."""
    if len(pem) > BUNDLE_LIMIT:
        raise _malformed(f"bundle of {len(pem)} bytes")
    try:
        return x509.load_pem_x509_certificates(pem)
    except READ_ERRORS as error:
        raise _malformed(str(error)) from None


def der_of(certificate: x509.Certificate) -> bytes:
    """Return the certificate in DER."""
    return certificate.public_bytes(Encoding.DER)


def pem_of(*certificates: x509.Certificate) -> bytes:
    """Return the certificates in PEM, one after the other."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the DER in lower-case hexadecimal: the name of *this* certificate."""
    return hashlib.sha256(der_of(certificate)).hexdigest()


def spki_hash(public_key: PublicKey) -> str:
    """Return the SHA-256 of the SubjectPublicKeyInfo in hexadecimal: the name of a *key*."""
    return hashlib.sha256(spki_of(public_key)).hexdigest()


def spki_of(public_key: PublicKey) -> bytes:
    """Return the SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) in DER."""
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def public_key_of(certificate: x509.Certificate) -> PublicKey:
    """Return the certified key; raise MalformedError, or KEY_UNSUITABLE for a kind not allowed."""
    try:
        key = certificate.public_key()
    except READ_ERRORS as error:
        raise _malformed(f"public key: {error}") from None
    return suitable(key)


def authority_id(anchor: x509.Certificate) -> str:
    """Return the name by which an issuing authority is known everywhere.

    It is the first 16 characters of the lower-case base32 (RFC 4648) of the SHA-256 of the
    SubjectPublicKeyInfo of its trust anchor; so it outlives a renewal of the certificate with the
    same key. Raise MalformedError or KEY_UNSUITABLE.
    """
    digest = hashlib.sha256(spki_of(public_key_of(anchor))).digest()
    return base64.b32encode(digest).decode().lower()[:AUTHORITY_ID_LENGTH]


def subject_serial_number(certificate: x509.Certificate) -> str:
    """Return the device's serial number: the X.520 serialNumber of the subject.

    802.1AR section 8.6 demands one; two would let two readers see two devices. Raise
    MalformedError unless it occurs exactly once, with 1 to 64 characters.
    """
    try:
        found = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    except READ_ERRORS as error:
        raise _malformed(f"subject: {error}") from None
    if len(found) != 1:
        raise _malformed(f"{len(found)} serial numbers in the subject")
    value = found[0].value
    if not isinstance(value, str) or not 0 < len(value) <= SERIAL_NUMBER_LIMIT:
        raise _malformed("the subject's serial number is empty or too long")
    if not value.isprintable():
        raise _malformed("the subject's serial number has control characters")
    return value


def subject_name(certificate: x509.Certificate) -> bytes:
    """Return the subject in DER; raise MalformedError."""
    try:
        return certificate.subject.public_bytes()
    except READ_ERRORS as error:
        raise _malformed(f"subject: {error}") from None


def issuer_name(certificate: x509.Certificate) -> bytes:
    """Return the issuer in DER; raise MalformedError."""
    try:
        return certificate.issuer.public_bytes()
    except READ_ERRORS as error:
        raise _malformed(f"issuer: {error}") from None


def extension_of(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    """Return the value of an extension, None if it is absent; raise MalformedError."""
    try:
        extensions = certificate.extensions
    except READ_ERRORS as error:
        raise _malformed(f"extensions: {error}") from None
    for extension in extensions:
        # By number first: the classes are abstract, and asking for one costs a microsecond.
        if extension.oid == kind.oid and isinstance(extension.value, kind):
            return extension.value
    return None


def device_id_of(ldevid: x509.Certificate) -> str:
    """Return the device id in an LDevID: the one subjectAltName URI `urn:homeport:device:ID`.

    Raise MalformedError if there is none, or more than one.
    """
    names = extension_of(ldevid, x509.SubjectAlternativeName)
    uris = names.get_values_for_type(x509.UniformResourceIdentifier) if names else []
    found = [uri.removeprefix(DEVICE_URI) for uri in uris if uri.startswith(DEVICE_URI)]
    if len(found) != 1 or not found[0]:
        raise _malformed(f"{len(found)} device ids in the subjectAltName")
    return found[0]


def _malformed(detail: str) -> MalformedError:
    return MalformedError(detail, Code.CERTIFICATE_MALFORMED)
