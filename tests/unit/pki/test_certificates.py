# SPDX-License-Identifier: Apache-2.0
"""Certificates of another program (openssl), and bytes that are none."""

import base64
import hashlib
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import FileKey
from homeport.pki.authority import build_root
from homeport.pki.certificates import (
    authority_id,
    der_of,
    device_id_of,
    extension_of,
    fingerprint,
    load_bundle,
    parse_certificate,
    pem_of,
    public_key_of,
    spki_hash,
    spki_of,
    subject_serial_number,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "pki"


def vector(name: str) -> x509.Certificate:
    return load_bundle((VECTORS / f"{name}.pem").read_bytes())[0]


def test_reads_what_openssl_wrote():
    leaf = parse_certificate(der_of(vector("leaf-good")))
    assert subject_serial_number(leaf) == "SN-1"
    assert leaf.not_valid_after_utc == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert extension_of(leaf, x509.SubjectAlternativeName) is None


def test_fingerprint_and_key_hash_as_openssl_computes_them():
    leaf = vector("leaf-good")
    assert fingerprint(leaf) == hashlib.sha256(der_of(leaf)).hexdigest()
    printed = subprocess.run(
        ["openssl", "x509", "-noout", "-pubkey", "-in", VECTORS / "leaf-good.pem"],
        check=True, capture_output=True, timeout=30,
    ).stdout  # fmt: skip
    spki = base64.b64decode(b"".join(printed.splitlines()[1:-1]))
    assert spki_hash(public_key_of(leaf)) == hashlib.sha256(spki).hexdigest()


def test_authority_id_survives_a_renewal_of_the_certificate():
    key = FileKey("memory", ec.generate_private_key(ec.SECP256R1()))
    first = build_root(key, "A", datetime(2026, 1, 1, tzinfo=UTC), 10)
    second = build_root(key, "B", datetime(2027, 1, 1, tzinfo=UTC), 10)
    assert authority_id(first) == authority_id(second)
    digest = hashlib.sha256(spki_of(key.public_key())).digest()
    assert authority_id(first) == base64.b32encode(digest)[:16].decode().lower()


def test_bundles():
    root, leaf = vector("root"), vector("leaf-good")
    assert load_bundle(b"a comment\n" + pem_of(root, leaf)) == [root, leaf]
    for bad in (b"", b"text", pem_of(root)[:-40], b"x" * 2_000_000):
        with pytest.raises(MalformedError):
            load_bundle(bad)


@pytest.mark.parametrize("name", ["leaf-two-numbers", "leaf-no-number"])
def test_serial_number_must_occur_once(name):
    with pytest.raises(MalformedError) as caught:
        subject_serial_number(vector(name))
    assert caught.value.code is Code.CERTIFICATE_MALFORMED


@pytest.mark.parametrize("name", ["leaf-rsa1024", "leaf-ed25519", "leaf-p521"])
def test_kinds_of_key_that_are_refused(name):
    with pytest.raises(HomeportError) as caught:
        public_key_of(vector(name))
    assert caught.value.code is Code.KEY_UNSUITABLE


@pytest.mark.parametrize("name", ["leaf-good", "leaf-p384", "leaf-rsa2048"])
def test_kinds_of_key_that_are_allowed(name):
    assert len(spki_hash(public_key_of(vector(name)))) == 64


def test_device_id_is_absent_in_foreign_certificates():
    for name in ("leaf-good", "leaf-san"):
        with pytest.raises(MalformedError):
            device_id_of(vector(name))


def test_too_large():
    with pytest.raises(MalformedError) as caught:
        parse_certificate(b"\x30" * 5000)
    assert caught.value.code is Code.CERTIFICATE_MALFORMED


@given(st.binary(max_size=400))
def test_any_bytes_are_a_certificate_or_malformed(data):
    with pytest.raises(MalformedError):
        parse_certificate(data)
    with pytest.raises(MalformedError):
        load_bundle(data)
