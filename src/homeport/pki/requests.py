# SPDX-License-Identifier: Apache-2.0
"""PKCS#10 certification requests (RFC 2986): made by a device, proven by the platform.

A request proves that its sender can use the private key; of what it *asks* for we take only the
key. Names and extensions come from the profile, never from the request.
"""

from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import SignatureAlgorithmOID

from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import PrivateKey, PublicKey, SignatureAlgorithm, default_algorithm, suitable
from homeport.keys.algorithms import is_elliptic
from homeport.pki.certificates import READ_ERRORS
from homeport.pki.subjects import device_subject

REQUEST_LIMIT: Final = 8_192
"""Bytes; an RSA-4096 request takes 1.5 kB, with attestation attributes up to 6 kB."""

SIGNATURE_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})

_ECDSA: Final = {
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: ec.ECDSA(hashes.SHA256()),
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: ec.ECDSA(hashes.SHA384()),
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: ec.ECDSA(hashes.SHA512()),
}
"""What `is_signature_valid` works out anew for each request, in a quarter of the check's time."""


@dataclass(frozen=True, slots=True)
class ProvenCsr:
    """A request whose sender has shown to hold the key. Only `verify_request` makes it."""

    public_key: PublicKey
    der: bytes


def verify_request(der: bytes) -> ProvenCsr:
    """Read a PKCS#10 request and check its signature by its own key.

    Raise MalformedError (CSR_MALFORMED) if it cannot be read or exceeds 8 kB, KEY_UNSUITABLE for a
    kind of key that is not allowed, CSR_UNPROVEN if the signature is not by that key.
    """
    if len(der) > REQUEST_LIMIT:
        raise MalformedError(f"request of {len(der)} bytes", Code.CSR_MALFORMED)
    try:
        request = x509.load_der_x509_csr(der)
        key = request.public_key()
    except READ_ERRORS as error:
        raise MalformedError(str(error), Code.CSR_MALFORMED) from None
    # Before the signature: a huge RSA key would make the check itself an attack.
    public_key = suitable(key)
    if not _is_signed_by(public_key, request):
        raise HomeportError(Code.CSR_UNPROVEN, "the signature is not by the key in the request")
    return ProvenCsr(public_key, der)


def build_request(key: PrivateKey, serial_number: str) -> bytes:
    """Make a PKCS#10 request in DER for `key`, with the serial number as the only name.

    Raise KEY_STORE_UNAVAILABLE if the key's place does not answer.
    """
    subject = device_subject(serial_number)
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    request = builder.sign(key.crypto_key(), hash_for(key.public_key()))
    return request.public_bytes(Encoding.DER)


def hash_for(public_key: PublicKey) -> hashes.SHA256 | hashes.SHA384:
    """Return the hash that certificates and requests by this key are signed with."""
    if default_algorithm(public_key) is SignatureAlgorithm.ES384:
        return hashes.SHA384()
    return hashes.SHA256()


def _is_signed_by(public_key: PublicKey, request: x509.CertificateSigningRequest) -> bool:
    try:
        ecdsa = _ECDSA.get(request.signature_algorithm_oid)
        if ecdsa is not None and is_elliptic(public_key):
            public_key.verify(request.signature, request.tbs_certrequest_bytes, ecdsa)
            return True
        algorithm = request.signature_hash_algorithm
        if algorithm is None or algorithm.name not in SIGNATURE_HASHES:
            return False
        return request.is_signature_valid
    except (*READ_ERRORS, InvalidSignature):
        return False
