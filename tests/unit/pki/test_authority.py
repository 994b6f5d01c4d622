# SPDX-License-Identifier: Apache-2.0
"""What we make, as openssl and our own verification see it."""

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from homeport.errors import Code, HomeportError
from homeport.keys import FileKey
from homeport.pki.authority import (
    Issuer,
    Revocation,
    build_crl,
    build_intermediate,
    build_leaf,
    build_root,
    domain_signer_leaf,
    ldevid_leaf,
    server_leaf,
)
from homeport.pki.certificates import (
    der_of,
    device_id_of,
    extension_of,
    parse_certificate,
    pem_of,
    subject_serial_number,
)
from homeport.pki.idevid import IdevIdMinter
from homeport.pki.names import DOMAIN_SIGNER, HARDWARE_MODULE_NAME, NO_EXPIRY
from homeport.pki.subjects import HardwareModule

BEGIN = datetime(2028, 2, 29, tzinfo=UTC)
END = BEGIN + timedelta(days=90)


def new_key(curve: ec.EllipticCurve | None = None) -> FileKey:
    return FileKey("memory", ec.generate_private_key(curve or ec.SECP256R1()))


ROOT_KEY, KEY = new_key(), new_key()
ROOT = build_root(ROOT_KEY, "Root", BEGIN, None)
INTERMEDIATE = build_intermediate(Issuer(ROOT, ROOT_KEY), KEY.public_key(), "Issuer", BEGIN, 10)
ISSUER = Issuer(INTERMEDIATE, KEY)


def openssl(*arguments: str, data: bytes = b"") -> str:
    done = subprocess.run(
        ["openssl", *arguments], input=data, capture_output=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return done.stdout.decode()


@pytest.fixture
def files(tmp_path):
    (tmp_path / "root.pem").write_bytes(pem_of(ROOT))
    (tmp_path / "intermediate.pem").write_bytes(pem_of(INTERMEDIATE))
    return tmp_path


def test_openssl_accepts_the_chain_strictly(files):
    leaf = build_leaf(
        server_leaf(new_key().public_key(), ["home.example", "192.0.2.1"], BEGIN, END), ISSUER
    )
    (files / "leaf.pem").write_bytes(pem_of(leaf))
    at = str(int((BEGIN + timedelta(days=1)).timestamp()))
    for name in (["-verify_hostname", "home.example"], ["-verify_ip", "192.0.2.1"]):
        openssl(
            "verify", "-x509_strict", "-purpose", "sslserver", "-attime", at, *name,
            "-CAfile", f"{files}/root.pem", "-untrusted", f"{files}/intermediate.pem",
            f"{files}/leaf.pem",
        )  # fmt: skip


def test_years():
    assert INTERMEDIATE.not_valid_after_utc == datetime(2038, 2, 28, tzinfo=UTC)
    assert ROOT.not_valid_after_utc == NO_EXPIRY
    short = build_root(ROOT_KEY, "Short", BEGIN, 1)
    below = build_intermediate(Issuer(short, ROOT_KEY), KEY.public_key(), "B", BEGIN, 20)
    assert below.not_valid_after_utc == short.not_valid_after_utc


def test_key_must_fit_the_certificate():
    with pytest.raises(HomeportError) as caught:
        Issuer(ROOT, KEY)
    assert caught.value.code is Code.SETTING_WRONG


@pytest.mark.parametrize(
    "key",
    [new_key(ec.SECP384R1()), FileKey("rsa", rsa.generate_private_key(65537, 2048))],
    ids=["P-384", "RSA"],
)
def test_other_kinds_of_ca_key(key):
    root = build_root(key, "Other", BEGIN, 10)
    leaf = build_leaf(
        ldevid_leaf(new_key().public_key(), "d-1", "SN-1", BEGIN, END), Issuer(root, key)
    )
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)


def test_ldevid():
    leaf = build_leaf(ldevid_leaf(new_key().public_key(), "auth-sn", "SN#1", BEGIN, END), ISSUER)
    leaf = parse_certificate(der_of(leaf))
    assert device_id_of(leaf) == "auth-sn"
    assert subject_serial_number(leaf) == "SN#1"
    usage = extension_of(leaf, x509.ExtendedKeyUsage)
    assert usage is not None
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert (leaf.not_valid_before_utc, leaf.not_valid_after_utc) == (BEGIN, END)


def test_domain_signer_is_shown_by_openssl(files):
    leaf = build_leaf(domain_signer_leaf(new_key().public_key(), ["a.b"], BEGIN, END), ISSUER)
    shown = openssl("x509", "-noout", "-ext", "extendedKeyUsage", data=pem_of(leaf))
    assert DOMAIN_SIGNER.dotted_string in shown


def test_idevid_profile():
    hardware = HardwareModule(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1"), b"HW-7")
    minter = IdevIdMinter(INTERMEDIATE, KEY)
    key = new_key().public_key()
    idevid = parse_certificate(minter.mint(key, "SN-1", "Model 1", BEGIN, hardware))
    assert subject_serial_number(idevid) == "SN-1"
    assert idevid.not_valid_after_utc == NO_EXPIRY
    assert b"99991231235959Z" in der_of(idevid)
    assert idevid.public_key() == key
    usage = idevid.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert extension_of(idevid, x509.BasicConstraints) is None
    names = extension_of(idevid, x509.SubjectAlternativeName)
    assert names is not None
    (name,) = names
    assert isinstance(name, x509.OtherName)
    assert name.type_id == HARDWARE_MODULE_NAME
    parsed = openssl("asn1parse", "-inform", "der", data=name.value)
    assert "1.3.6.1.4.1.32473.1" in parsed
    assert "HW-7" in parsed
    idevid.verify_directly_issued_by(INTERMEDIATE)


def test_idevids_differ_in_number():
    minter = IdevIdMinter(INTERMEDIATE, KEY)
    key = new_key().public_key()
    numbers = {
        parse_certificate(minter.mint(key, f"SN-{n}", "M", BEGIN)).serial_number for n in range(50)
    }
    assert len(numbers) == 50
    assert max(number.bit_length() for number in numbers) > 140


@pytest.mark.parametrize("serial_number", ["", "x" * 65, "a\nb", "a\0b"])
def test_names_that_do_not_fit(serial_number):
    with pytest.raises(HomeportError) as caught:
        IdevIdMinter(INTERMEDIATE, KEY).mint(KEY.public_key(), serial_number, "M", BEGIN)
    assert caught.value.code is Code.PROFILE_REFUSED


def test_hardware_names_that_do_not_fit():
    hardware = HardwareModule(x509.ObjectIdentifier("1.2.3"), b"x" * 300)
    with pytest.raises(HomeportError) as caught:
        IdevIdMinter(INTERMEDIATE, KEY).mint(KEY.public_key(), "SN", "M", BEGIN, hardware)
    assert caught.value.code is Code.PROFILE_REFUSED


def test_platform_names_that_do_not_fit():
    with pytest.raises(HomeportError) as caught:
        server_leaf(KEY.public_key(), ["bücher.example"], BEGIN, END)
    assert caught.value.code is Code.PROFILE_REFUSED


def test_revocation_list(files):
    leaf = build_leaf(ldevid_leaf(new_key().public_key(), "d", "SN-1", BEGIN, END), ISSUER)
    kept = build_leaf(ldevid_leaf(new_key().public_key(), "e", "SN-2", BEGIN, END), ISSUER)
    crl = build_crl(
        ISSUER,
        [
            Revocation(leaf.serial_number, BEGIN, x509.ReasonFlags.key_compromise),
            Revocation(12345, BEGIN),
        ],
        BEGIN,
        END,
        7,
    )
    assert crl.is_signature_valid(KEY.public_key())
    assert crl.get_revoked_certificate_by_serial_number(kept.serial_number) is None
    number = crl.extensions.get_extension_for_class(x509.CRLNumber).value
    assert number.crl_number == 7
    (files / "crl.pem").write_bytes(crl.public_bytes(Encoding.PEM))
    at = str(int((BEGIN + timedelta(days=1)).timestamp()))
    for certificate, revoked in ((leaf, True), (kept, False)):
        (files / "leaf.pem").write_bytes(pem_of(certificate))
        done = subprocess.run(
            ["openssl", "verify", "-crl_check", "-attime", at, "-CAfile", f"{files}/root.pem",
             "-untrusted", f"{files}/intermediate.pem", "-CRLfile", f"{files}/crl.pem",
             f"{files}/leaf.pem"],
            capture_output=True, check=False, timeout=30,
        )  # fmt: skip
        assert ("certificate revoked" in done.stderr.decode()) is revoked
        assert (done.returncode == 0) is not revoked


def test_a_long_revocation_list_is_made_in_one_go():
    crl = build_crl(ISSUER, (Revocation(n + 1, BEGIN) for n in range(5000)), BEGIN, END, 1)
    assert len(crl) == 5000
