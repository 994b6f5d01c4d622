# SPDX-License-Identifier: Apache-2.0
"""Damaged certificates, requests, JWS and key URIs: read, or refused with a code; nothing else."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from fuzz.mutate import fuzz
from homeport.errors import HomeportError
from homeport.keys import parse_key_uri
from homeport.pki import base64url, jws
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import (
    device_id_of,
    extension_of,
    load_bundle,
    parse_certificate,
    public_key_of,
    spki_hash,
    subject_serial_number,
)
from homeport.pki.chains import verify_idevid, verify_ldevid, verify_platform_signer
from homeport.pki.issuers import IssuerCache
from homeport.pki.requests import verify_request

CORPUS = Path(__file__).parent / "corpus"
VECTORS = Path(__file__).parents[1] / "vectors" / "pki"
ROOT = load_bundle((VECTORS / "root.pem").read_bytes())[0]
INTERMEDIATE = (CORPUS / "certificate" / "intermediate.der").read_bytes()
DEVICES = Anchors(Purpose.IDEVID, [ROOT])
PLATFORMS = Anchors(Purpose.PLATFORM, [ROOT])
KEY = ec.generate_private_key(ec.SECP256R1()).public_key()


def attempt(call, *arguments) -> None:
    """One refusal must not keep the next function from being tried."""
    with suppress(HomeportError):
        call(*arguments)


def test_certificates():
    def read(data: bytes) -> None:
        certificate = parse_certificate(data)
        attempt(subject_serial_number, certificate)
        attempt(device_id_of, certificate)
        attempt(lambda: spki_hash(public_key_of(certificate)))
        for kind in (x509.SubjectAlternativeName, x509.KeyUsage, x509.ExtendedKeyUsage):
            attempt(extension_of, certificate, kind)

    assert fuzz(read, CORPUS / "certificate") > 10


def test_chains_of_damaged_leaves():
    cache = IssuerCache()

    def verify(data: bytes) -> None:
        leaf = parse_certificate(data)
        attempt(verify_ldevid, leaf, [ROOT])
        attempt(verify_idevid, leaf, [], DEVICES, cache)
        verify_idevid(leaf, [INTERMEDIATE], DEVICES, cache)

    assert fuzz(verify, CORPUS / "certificate") >= 1


def test_chains_of_damaged_intermediates():
    leaf = parse_certificate((CORPUS / "certificate" / "leaf-good.der").read_bytes())
    assert fuzz(lambda data: verify_idevid(leaf, [data], DEVICES), CORPUS / "certificate") >= 1


def test_damaged_anchors():
    def trust(data: bytes) -> None:
        anchors = Anchors(Purpose.IDEVID, [parse_certificate(data)])
        leaf = parse_certificate((CORPUS / "certificate" / "leaf-good.der").read_bytes())
        attempt(verify_idevid, leaf, [], anchors)
        repr(anchors)

    assert fuzz(trust, CORPUS / "certificate", runs=1_000) >= 1


def test_platform_signers():
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def verify(data: bytes) -> None:
        attempt(verify_platform_signer, [data, INTERMEDIATE], PLATFORMS, "device.example", None)
        verify_platform_signer([data, INTERMEDIATE], PLATFORMS, "device.example", now)

    # The corpus has no certificate with our extended key usage: whatever comes is refused.
    assert fuzz(verify, CORPUS / "certificate", runs=1_000) == 0


def test_bundles():
    assert fuzz(load_bundle, CORPUS / "bundle") > 1


def test_requests():
    assert fuzz(verify_request, CORPUS / "request") >= 3


def test_jws():
    def read(data: bytes) -> None:
        message = jws.parse(data)
        message.hash()
        attempt(jws.verify, message, KEY)

    assert fuzz(read, CORPUS / "jws") > 10


def test_jws_headers():
    def read(data: bytes) -> None:
        empty = base64url.encode(b"")
        jws.parse(
            b'{"protected":"%b","payload":"%b","signature":"%b"}'
            % (base64url.encode(data), empty, empty)
        )

    assert fuzz(read, CORPUS / "jws_header") > 10


def test_key_uris():
    def read(data: bytes) -> None:
        parse_key_uri(data.decode(errors="surrogateescape"))

    assert fuzz(read, CORPUS / "key_uri") > 10
