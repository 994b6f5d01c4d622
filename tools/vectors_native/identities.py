# SPDX-License-Identifier: Apache-2.0
"""Certificates as makers, platforms and forgers make them; nothing is checked here."""

import datetime as dt
import hashlib
from base64 import b32encode
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
IssuerKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

FOR_EVER: Final = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
MADE: Final = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
"""When the maker began."""
DOMAIN_SIGNER: Final = x509.ObjectIdentifier("2.25.147607185417439928704113280383695297367")
SERVER_AUTH: Final = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT_AUTH: Final = ExtendedKeyUsageOID.CLIENT_AUTH
ECDSA_WITH_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
"""AlgorithmIdentifier (RFC 5758 section 3.2)."""


class _HasPublicKey(Protocol):
    def public_key(self) -> object: ...


@dataclass(frozen=True)
class Identity:
    """A private key and the certificates that speak for it."""

    key: Key
    chain: tuple[bytes, ...]
    """DER, leaf first, without the root."""
    serial_number: str = ""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the leaf in hexadecimal."""
        return hashlib.sha256(self.chain[0]).hexdigest()


@dataclass(frozen=True)
class Authority:
    """A CA: its key, its certificate, and what a leaf sends along to reach the root."""

    key: IssuerKey
    certificate: x509.Certificate
    intermediates: tuple[bytes, ...] = ()

    @property
    def id(self) -> str:
        """The name of the authority, if this is its root (docs/decisions/0008-device-id.md)."""
        digest = hashlib.sha256(spki(self.key)).digest()
        return b32encode(digest).decode().lower()[:16]


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a certificate says, where it is not the usual."""

    not_before: dt.datetime = MADE
    not_after: dt.datetime = FOR_EVER
    is_ca: bool = False
    usages: tuple[x509.ObjectIdentifier, ...] = ()
    names: tuple[x509.GeneralName, ...] = ()


def p256() -> ec.EllipticCurvePrivateKey:
    """Make a key of the usual kind."""
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Make an RSA key."""
    return rsa.generate_private_key(65537, bits)


def spki(key: _HasPublicKey) -> bytes:
    """Return the SubjectPublicKeyInfo in DER."""
    public: ec.EllipticCurvePublicKey = key.public_key()  # type: ignore[assignment]
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def device_name(*serial_numbers: str, common_name: str = "EX-100") -> x509.Name:
    """Return a subject with any number of serial numbers."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    parts += [
        x509.NameAttribute(NameOID.SERIAL_NUMBER, text, _ASN1Type.UTF8String)
        for text in serial_numbers
    ]
    return x509.Name(parts)


def common_name(name: str) -> x509.Name:
    """Return a subject with a common name alone."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def root(name: str, key: IssuerKey | None = None) -> Authority:
    """Make a CA that signs itself."""
    key = key or p256()
    subject = common_name(name)
    made = _signed(subject, key, (subject, key), Form(is_ca=True))
    return Authority(key, made)


def intermediate(above: Authority, name: str, form: Form | None = None) -> Authority:
    """Make a CA below another one."""
    key = p256()
    form = form or Form(is_ca=True)
    made = _signed(common_name(name), key, (above.certificate.subject, above.key), form)
    return Authority(key, made, (der(made), *above.intermediates))


def leaf(
    above: Authority, subject: x509.Name, key: Key | None = None, form: Form | None = None
) -> Identity:
    """Make a certificate below a CA, or below what only claims to be one."""
    key = key or p256()
    made = _signed(subject, key, (above.certificate.subject, above.key), form or Form())
    numbers = subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    serial_number = str(numbers[0].value) if numbers else ""
    return Identity(key, (der(made), *above.intermediates), serial_number)


def certificate_request(key: Key, subject: x509.Name | None = None) -> bytes:
    """Make a PKCS#10 request in DER."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject or device_name("-"))
    return builder.sign(key, _hash(key)).public_bytes(Encoding.DER)


def stolen_request(victim: Key, thief: ec.EllipticCurvePrivateKey) -> bytes:
    """Make a PKCS#10 request for a key that the sender does not have."""
    wanted = x509.load_der_x509_csr(certificate_request(victim)).tbs_certrequest_bytes
    signature = thief.sign(wanted, ec.ECDSA(hashes.SHA256()))
    return sequence(wanted, ECDSA_WITH_SHA256, tagged(0x03, b"\0" + signature))


def der(certificate: x509.Certificate) -> bytes:
    """Return a certificate in DER."""
    return certificate.public_bytes(Encoding.DER)


def pem(certificate: x509.Certificate) -> str:
    """Return a certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM).decode()


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE in DER."""
    return tagged(0x30, b"".join(parts))


def tagged(tag: int, content: bytes) -> bytes:
    """Return tag, length and content (X.690 section 8.1.3)."""
    size = len(content)
    if size < 128:  # noqa: PLR2004  (short form)
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _signed(
    subject: x509.Name, key: Key, issuer: tuple[x509.Name, Key], form: Form
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(form.not_before)
        .not_valid_after(form.not_after)
        .add_extension(_key_usage(is_ca=form.is_ca), critical=True)
    )
    if form.is_ca:
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
    if form.usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(form.usages), critical=False)
    if form.names:
        builder = builder.add_extension(x509.SubjectAlternativeName(form.names), critical=False)
    return builder.sign(issuer[1], _hash(issuer[1]))


def _key_usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _hash(key: Key) -> hashes.SHA256 | hashes.SHA384 | None:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    is_p384 = isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp384r1"
    return hashes.SHA384() if is_p384 else hashes.SHA256()
