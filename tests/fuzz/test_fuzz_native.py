# SPDX-License-Identifier: Apache-2.0
"""Fuzz targets for the native protocol: what strangers send, and what proven devices say.

A mutated request would fail at its signature and go no further, so payloads, headers, certificates
and PKCS#10 requests are damaged *before* they are signed: a device that is somebody else's is one
too.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from fuzz.mutate import fuzz
from homeport.errors import HomeportError, MalformedError
from homeport.pki.anchors import Anchors, Purpose
from homeport.protocols.native import wire
from homeport.protocols.native.server.nonce import Nonces
from homeport.protocols.native.server.prove import Prover
from tools.vectors_native.draft import as_json, base64, sign_es256
from tools.vectors_native.scene import own_scene

CORPUS: Final = Path(__file__).parent / "corpus"
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
SCENE, NONCES = own_scene(NOW)
ANCHORS: Final = Anchors(Purpose.IDEVID, SCENE.maker.anchors)
NONCE_KEY: Final = Nonces(NONCES.key)
PROVER: Final = Prover(SCENE.url, NONCE_KEY, [SCENE.platform.ldevid_issuer.certificate])
DRAFT: Final = SCENE.enrol()

READERS: Final[dict[str, Callable[[bytes], object]]] = {
    "native-enrol-request": wire.read_enrol_request,
    "native-renew-request": wire.read_renew_request,
    "native-register-request": wire.read_register_request,
    "native-answer": wire.read_answer,
    "native-greeting": wire.read_greeting,
    "native-problem": wire.read_problem,
}


def prove(body: bytes) -> object:
    return PROVER.prove_enrolment(body, ANCHORS, "192.0.2.7", NOW)


def prove_payload(payload: bytes) -> object:
    """What a proven device may say."""
    return prove(DRAFT.with_text(lambda _text: payload).body(sign_es256))


def prove_header(header: bytes) -> object:
    """What may stand in a header whose signature is right; ours are put in for the corpus's."""
    for name in ("url", "nonce"):
        header = header.replace(name.upper().encode(), str(DRAFT.header[name]).encode())
    chain = json.dumps(DRAFT.header["x5c"]).encode()
    return prove(as_json(DRAFT.signed_over(header.replace(b"X5C", chain), sign_es256)))


def prove_csr(csr: bytes) -> object:
    return prove(DRAFT.with_payload(csr=base64(csr)).body())


def prove_leaf(leaf: bytes) -> object:
    x5c = [base64(leaf), base64(SCENE.device.chain[1])]
    return prove(DRAFT.with_header(x5c=x5c).body())


def prove_renewal(leaf: bytes) -> object:
    draft = SCENE.renew().with_header(x5c=[base64(leaf)])
    return PROVER.prove_renewal(draft.body(), "192.0.2.7", NOW)


@pytest.mark.parametrize("name", READERS)
def test_readers(name: str) -> None:
    assert fuzz(READERS[name], CORPUS / name, allowed=(MalformedError,)) > 0


def test_payloads_of_proven_devices() -> None:
    """Most are refused for their serial number, which is this run's; nothing else may happen."""
    number = DRAFT.signer.serial_number.encode()
    target = lambda payload: prove_payload(payload.replace(b"EX-000017", number))  # noqa: E731
    assert fuzz(target, CORPUS / "native-enrol-request") > 0


def test_headers() -> None:
    assert fuzz(prove_header, CORPUS / "native-header") > 0


def test_requests() -> None:
    fuzz(prove, CORPUS / "jws")


def test_certification_requests_in_requests() -> None:
    assert fuzz(prove_csr, CORPUS / "request") > 0


@pytest.mark.parametrize("target", [prove_leaf, prove_renewal])
def test_certificates_in_requests(target: Callable[[bytes], object]) -> None:
    fuzz(target, CORPUS / "certificate")


def test_nonces() -> None:
    def check(octets: bytes) -> None:
        NONCE_KEY.check(octets.decode("latin-1"), NOW)

    fuzz(check, CORPUS / "native-nonce", allowed=(HomeportError,))
