# SPDX-License-Identifier: Apache-2.0
"""The JSON Schemas beside the protocol's page say what the code says: others build by them."""

import base64
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from homeport.protocols.native import wire

ROOT = Path(__file__).parents[3]
SCHEMAS = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
    for path in (ROOT / "docs" / "protocols" / "native").glob("*.schema.json")
}
VECTORS = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in (ROOT / "tests" / "vectors" / "native").glob("*/*.json")
]
GOOD = [vector for vector in VECTORS if vector["expected"]["verdict"] == "proven"]
UNREADABLE = [
    vector
    for vector in VECTORS
    if vector["expected"].get("code") == "malformed" and vector["section"] in {"3.2", "5"}
]
BEYOND_A_SCHEMA = {
    "csr-in-base64url",
    "csr-not-base64",
    "csr-oversized",
    "model-with-control-characters",
    "payload-with-half-a-character",
}
"""What JSON Schema does not look at: encodings and their exact lengths, what people are shown."""


def payload_of(vector: dict[str, Any]) -> object:
    text = json.loads(vector["request"]["body"])["payload"]
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return json.loads(octets.decode())


def is_valid(content: object, name: str) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMAS[name]).is_valid(content))


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_is_a_schema(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_there_is_one_for_each_message():
    names = {"greeting", "enrol-request", "renew-request", "register-request", "answer", "problem"}
    assert SCHEMAS.keys() == names


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["name"])
def test_good_requests_fit(vector):
    assert is_valid(payload_of(vector), vector["request"]["kind"] + "-request")


@pytest.mark.parametrize("vector", UNREADABLE, ids=lambda vector: vector["name"])
def test_requests_that_cannot_be_read_do_not_fit(vector):
    try:
        content = payload_of(vector)
    except ValueError:  # not even JSON
        return
    fits = is_valid(content, vector["request"]["kind"] + "-request")
    assert fits == (vector["name"] in BEYOND_A_SCHEMA)


BOUND: dict[str, Any] = {
    "version": 1,
    "device_nonce": bytes(16),
    "request_hash": bytes(32),
    "time": 1,
}
ENDPOINT = wire.Endpoint(protocol="mqtt", host="h", port=1)
ANSWERS = (
    wire.Parked(**BOUND, missing="owner", detail="", nonce="n", wait=30, retry_after=2),
    wire.Redirect(**BOUND, url="https://edge.example", voucher=b"v"),
    wire.Enrolled(
        **BOUND,
        device="d",
        tenant="t",
        upstream="u",
        epoch=1,
        certificate=(b"c",),
        renew_at=2,
        endpoints=(ENDPOINT,),
        topics="hp/t/d",
        anchors=(b"a",),
    ),
)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__)
def test_answers_fit(answer):
    content = json.loads(wire.encode(answer))
    assert is_valid(content, "answer")
    assert is_valid({**content, "later": 1}, "answer"), "answers may gain members"
    assert not is_valid({**content, "result": "challenge"}, "answer")
