# SPDX-License-Identifier: Apache-2.0
"""Whoever implements `provisioning.ports.Issuer` passes this: now the CA with its key in a file and
in a PKCS#11 token."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from homeport.ca import CertificateAuthority, LocalIssuer
from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError
from homeport.keys import make_key
from homeport.pki.authority import Issuer as Signer
from homeport.pki.authority import build_intermediate, build_root
from homeport.pki.certificates import device_id_of, fingerprint, subject_serial_number
from homeport.pki.requests import ProvenCsr, verify_request

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
MADE = datetime(2026, 1, 1, tzinfo=UTC)
DEVICE = DeviceId("abcdefghijklmnop", "EX-000017")


def request_of(key):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "whatever the device likes")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return verify_request(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


@pytest.fixture
def root(tmp_path):
    key = make_key(f"file:{tmp_path}/root.key")
    return build_root(key, "Test root", MADE, 20), key


@pytest.fixture(params=["file", "pkcs11"])
def authority(request, root, tmp_path):
    if request.param == "file":
        key = make_key(f"file:{tmp_path}/issuing.key")
    else:
        key = make_key(request.getfixturevalue("soft_token").uri("issuing"))
    certificate = build_intermediate(Signer(*root), key.public_key(), "Test issuing", MADE, 10)
    return CertificateAuthority([certificate, root[0]], key)


@pytest.fixture
def issuer(authority):
    return LocalIssuer(authority)


def read(issued):
    return x509.load_der_x509_certificate(issued.certificate)


def test_the_certificate_is_what_the_answer_says(issuer):
    issued = issuer.issue(DEVICE, request_of(ec.generate_private_key(ec.SECP256R1())), NOW)
    certificate = read(issued)
    assert fingerprint(certificate) == issued.fingerprint
    assert certificate.serial_number == issued.serial_number
    assert certificate.not_valid_before_utc == issued.not_before
    assert certificate.not_valid_after_utc == issued.not_after


def test_the_device_is_named_and_the_request_decides_only_the_key(issuer):
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = read(issuer.issue(DEVICE, request_of(key), NOW))
    assert certificate.public_key() == key.public_key()
    assert device_id_of(certificate) == str(DEVICE)
    assert subject_serial_number(certificate) == DEVICE.serial_number
    assert "whatever" not in certificate.subject.rfc4514_string()
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_it_is_valid_for_ninety_days_and_a_little_before(issuer):
    issued = issuer.issue(DEVICE, request_of(ec.generate_private_key(ec.SECP256R1())), NOW)
    assert issued.not_before == NOW.replace(microsecond=0) - timedelta(minutes=5)
    assert issued.not_after == NOW.replace(microsecond=0) + timedelta(days=90)


def test_others_can_build_the_chain(issuer, root):
    issued = issuer.issue(DEVICE, request_of(ec.generate_private_key(ec.SECP256R1())), NOW)
    intermediates = [x509.load_der_x509_certificate(der) for der in issuer.chain()]
    verifier = PolicyBuilder().store(Store([root[0]])).time(NOW).build_client_verifier()
    verified = verifier.verify(read(issued), intermediates)
    assert len(verified.chain) == 3


def test_the_chain_is_without_the_root(issuer, root):
    subjects = [x509.load_der_x509_certificate(der).subject for der in issuer.chain()]
    assert len(subjects) == 1
    assert root[0].subject not in subjects


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)],
    ids=["P-384", "RSA-2048"],
)
def test_other_keys_that_the_profile_allows(issuer, key):
    assert read(issuer.issue(DEVICE, request_of(key), NOW)).public_key() == key.public_key()


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP521R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 1024),  # noqa: S505 - that is the point
    ],
    ids=["P-521", "secp256k1", "Ed25519", "RSA-1024"],
)
def test_keys_that_the_profile_refuses(issuer, key):
    # Also when an earlier check let such a key through.
    with pytest.raises(HomeportError) as caught:
        issuer.issue(DEVICE, ProvenCsr(key.public_key(), b""), NOW)
    assert caught.value.code is Code.KEY_UNSUITABLE


def test_every_certificate_has_its_own_number(issuer):
    request = request_of(ec.generate_private_key(ec.SECP256R1()))
    numbers = {issuer.issue(DEVICE, request, NOW).serial_number for _ in range(20)}
    assert len(numbers) == 20
    assert min(number.bit_length() for number in numbers) > 100


@pytest.mark.parametrize(
    "serial_number", ["x" * 64, "Müller 7/3", "a_b#c", "\N{SNOWMAN}" * 30], ids=range(4)
)
def test_unusual_serial_numbers(issuer, serial_number):
    device = DeviceId("abcdefghijklmnop", serial_number)
    issued = issuer.issue(device, request_of(ec.generate_private_key(ec.SECP256R1())), NOW)
    assert device_id_of(read(issued)) == str(device)
    assert subject_serial_number(read(issued)) == serial_number
