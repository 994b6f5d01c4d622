# SPDX-License-Identifier: Apache-2.0
"""The vectors of the native protocol as they lie in their folder, and the prover of each."""

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from homeport.errors import HomeportError
from homeport.http.problem import status_of
from homeport.pki.anchors import Anchors, Purpose
from homeport.protocols.native.server.answers import Binding
from homeport.protocols.native.server.nonce import Nonces
from homeport.protocols.native.server.prove import Enrolling, Prover
from homeport.provisioning.proof import ProvenRenewal

FOLDER = Path(__file__).parents[1] / "vectors" / "native"
FILES = {path.stem: path for path in FOLDER.glob("*/*.json")}
VECTORS = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in FILES.items()}
PEER = "192.0.2.7"


def body_of(vector: dict[str, Any]) -> bytes:
    request = vector["request"]
    if "body_base64" in request:
        return base64.b64decode(request["body_base64"])
    text: str = request["body"]
    return text.encode()


def certificates(pems: list[str]) -> list[x509.Certificate]:
    return [x509.load_pem_x509_certificate(pem.encode()) for pem in pems]


def now_of(vector: dict[str, Any]) -> datetime:
    """The platform's time."""
    return datetime.fromisoformat(vector["platform"]["now"])


def prover_of(vector: dict[str, Any]) -> Prover:
    platform = vector["platform"]
    nonces = Nonces(bytes.fromhex(platform["nonce_key"]))
    return Prover(platform["url"], nonces, certificates(platform["ldevid_issuers"]))


def prove_enrolment(vector: dict[str, Any], prover: Prover) -> Enrolling:
    anchors = Anchors(Purpose.IDEVID, certificates(vector["platform"]["idevid_anchors"]))
    return prover.prove_enrolment(body_of(vector), anchors, PEER, now_of(vector))


def prove_renewal(vector: dict[str, Any], prover: Prover) -> tuple[ProvenRenewal, Binding]:
    return prover.prove_renewal(body_of(vector), PEER, now_of(vector))


def refused(error: HomeportError) -> dict[str, Any]:
    """A refusal, in the words of the vectors."""
    return {
        "verdict": "refused",
        "code": error.code,
        "kind": error.kind,
        "status": status_of(error.code),
    }
