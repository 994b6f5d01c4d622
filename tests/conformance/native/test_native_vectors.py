# SPDX-License-Identifier: Apache-2.0
"""Every vector of the native protocol through the prover, and a vector for every way to refuse."""

import ast
import base64
from collections.abc import Iterator
from typing import Any

import pytest

from architecture.source_tree import SOURCE, syntax
from fakes.native_vectors import (
    FILES,
    VECTORS,
    prove_enrolment,
    prove_renewal,
    prover_of,
    refused,
)
from homeport.errors import CATALOGUE, Code, HomeportError
from tools.vectors_native.__main__ import PROVEN, REFUSED

PROVING = (
    "protocols/native/server/prove.py", "protocols/native/server/nonce.py",
    "protocols/native/wire.py", "pki/jws.py", "pki/base64url.py", "pki/certificates.py",
    "pki/chains.py", "pki/issuers.py", "pki/anchors.py", "pki/requests.py", "keys/algorithms.py",
    "domain/device.py",
)  # fmt: skip
"""Where the prover's refusals are raised."""

ENTRANCES = {"prove_enrolment", "prove_renewal"}


def play(vector: dict[str, Any]) -> dict[str, Any]:
    """What our prover says, in the words of the vectors."""
    try:
        if vector["request"]["kind"] == "renew":
            renewal, binding = prove_renewal(vector, prover_of(vector))
            return {
                "verdict": "proven",
                "fingerprint": renewal.fingerprint,
                "key_hash": renewal.key_hash,
                "request_id": renewal.request_id,
                "device_nonce": base64.b64encode(binding.device_nonce).decode(),
                "request_hash": binding.request_hash.hex(),
            }
        enrolling = prove_enrolment(vector, prover_of(vector))
    except HomeportError as error:
        return refused(error)
    proven = enrolling.proven
    return {
        "verdict": "proven",
        "fingerprint": proven.idevid_fingerprint,
        "key_hash": proven.key_hash,
        "request_id": proven.request_id,
        "device_nonce": base64.b64encode(enrolling.binding.device_nonce).decode(),
        "request_hash": enrolling.binding.request_hash.hex(),
        "authority": proven.device.authority,
        "serial_number": proven.device.serial_number,
        "device": str(proven.device),
        "model": proven.model,
        "epoch": proven.epoch,
        "wait": enrolling.request.wait,
    }


@pytest.mark.parametrize(
    "name", sorted(name for name in VECTORS if "registry" not in VECTORS[name])
)
def test_the_verdict_is_the_expected_one(name):
    assert play(VECTORS[name]) == VECTORS[name]["expected"]


@pytest.mark.parametrize("name", sorted(recipe.name for recipe in PROVEN if recipe.kind == "enrol"))
def test_good_requests_are_accepted_from_the_cache_too(name):
    """The same request twice at one prover: the second time its issuer is known."""
    vector = VECTORS[name]
    prover = prover_of(vector)
    devices = {str(prove_enrolment(vector, prover).proven.device) for _ in range(2)}
    assert devices == {vector["expected"]["device"]}


def test_the_vectors_are_those_of_the_recipes():
    """A recipe that was added, removed or renamed: run `python -m tools.vectors_native`."""
    wanted = {f"good/{r.name}": r for r in PROVEN} | {f"bad/{r.name}": r for r in REFUSED}
    present = {f"{path.parent.name}/{name}": VECTORS[name] for name, path in FILES.items()}
    assert present.keys() == wanted.keys()
    for place, recipe in wanted.items():
        vector = present[place]
        told = (vector["name"], vector["description"], vector["section"], vector["request"]["kind"])
        assert told == (recipe.name, recipe.description, recipe.section, recipe.kind)
        assert vector["expected"].get("code") == recipe.code


def test_every_section_named_is_in_the_document():
    text = (SOURCE.parents[1] / "docs" / "protocols" / "native.md").read_text(encoding="utf-8")
    sections = {vector["section"] for vector in VECTORS.values()}
    assert {s for s in sections if f"# {s}. " not in text and f"# {s} " not in text} == set()


def functions() -> Iterator[tuple[str, ast.AST]]:
    """Every function of the proving modules, by its name."""
    for name in PROVING:
        for node in ast.walk(syntax(SOURCE / name)):
            if isinstance(node, ast.FunctionDef):
                yield node.name, node


def named_in(node: ast.AST) -> set[str]:
    """Everything that the code mentions: functions that it may call are among it."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return names | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def reachable_codes() -> set[Code]:
    """The codes in functions that a proof may reach, found in the source by their names."""
    by_name: dict[str, list[ast.AST]] = {}
    for name, node in functions():
        by_name.setdefault(name, []).append(node)
    reached, frontier, codes = set[str](), set(ENTRANCES), set[Code]()
    while frontier:
        name = frontier.pop()
        reached.add(name)
        for node in by_name[name]:
            mentioned = named_in(node)
            codes |= {Code[word] for word in mentioned & Code.__members__.keys()}
            if any(is_plain_malformed(call) for call in ast.walk(node)):
                codes.add(Code.MALFORMED)
            frontier |= (mentioned & by_name.keys()) - reached
    return codes


def is_plain_malformed(node: ast.AST) -> bool:
    """`MalformedError(detail)`: without a code it is MALFORMED."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "MalformedError"
        and len(node.args) == 1
    )


def test_every_code_that_the_prover_may_raise_has_a_vector():
    codes = reachable_codes()
    assert {Code.MALFORMED, Code.NONCE_WRONG, Code.CSR_UNPROVEN, Code.CHAIN_UNTRUSTED} <= codes
    have = {vector["expected"].get("code") for vector in VECTORS.values()}
    assert codes - have == set()


def test_every_expected_code_is_in_the_catalogue():
    codes = {v["expected"]["code"] for v in VECTORS.values() if "code" in v["expected"]}
    assert codes <= {str(code) for code in CATALOGUE}
