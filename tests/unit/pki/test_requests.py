# SPDX-License-Identifier: Apache-2.0
"""PKCS#10: only a request signed by its own, suitable key is proven."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import FileKey
from homeport.pki.certificates import load_bundle
from homeport.pki.requests import build_request, verify_request

VECTORS = Path(__file__).parents[2] / "vectors" / "pki"

LEAVES = {"p256": "good", "p384": "p384", "rsa2048": "rsa2048"}


def refusal(der: bytes) -> Code:
    with pytest.raises(HomeportError) as caught:
        verify_request(der)
    return caught.value.code


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_own_requests_are_proven(curve):
    key = FileKey("memory", ec.generate_private_key(curve))
    der = build_request(key, "SN_1 é")
    proven = verify_request(der)
    assert proven.public_key == key.public_key()
    assert proven.der == der
    (name,) = x509.load_der_x509_csr(der).subject
    assert (name.oid, name.value) == (NameOID.SERIAL_NUMBER, "SN_1 é")


@pytest.mark.parametrize("name", ["p256", "p384", "rsa2048"])
def test_requests_of_openssl(name):
    proven = verify_request((VECTORS / f"request-{name}.der").read_bytes())
    (leaf,) = load_bundle((VECTORS / f"leaf-{LEAVES[name]}.pem").read_bytes())
    assert proven.public_key == leaf.public_key()


@pytest.mark.parametrize("name", ["rsa1024", "ed25519", "p521"])
def test_unsuitable_keys(name):
    assert refusal((VECTORS / f"request-{name}.der").read_bytes()) is Code.KEY_UNSUITABLE


def test_sha1_proves_nothing():
    assert refusal((VECTORS / "request-sha1.der").read_bytes()) is Code.CSR_UNPROVEN


def test_another_signature():
    key = FileKey("memory", ec.generate_private_key(ec.SECP256R1()))
    der = bytearray(build_request(key, "SN-1"))
    der[der.index(b"SN-1")] ^= 0x01  # the name is no longer what was signed
    assert refusal(bytes(der)) is Code.CSR_UNPROVEN


def test_too_large():
    assert refusal(b"\x30" * 8193) is Code.CSR_MALFORMED


@given(st.binary(max_size=400))
def test_any_bytes_are_a_request_or_malformed(data):
    with pytest.raises(MalformedError):
        verify_request(data)
