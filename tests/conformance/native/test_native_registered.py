# SPDX-License-Identifier: Apache-2.0
"""Vectors of which the registry decides: who is proven and gets nothing all the same."""

import ast
import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from architecture.source_tree import SOURCE, syntax
from fakes.issuer import FakeIssuer
from fakes.native_vectors import (
    VECTORS,
    now_of,
    prove_enrolment,
    prove_renewal,
    prover_of,
    refused,
)
from fakes.registry import FakeRegistry
from homeport.domain.credential import Credential, CredentialState
from homeport.domain.device import Device, DeviceId
from homeport.domain.enrolment import Enrolment, State
from homeport.domain.ownership import Ownership
from homeport.errors import Code, HomeportError
from homeport.provisioning.add_tenant import add_tenant
from homeport.provisioning.add_upstream import add_own_upstream
from homeport.provisioning.enrolment.enrol import enrol
from homeport.provisioning.enrolment.visit import Visit
from homeport.provisioning.policy import Policy
from homeport.provisioning.ports import Transaction
from homeport.provisioning.refusal import Refusal
from homeport.provisioning.renew import Renewing, renew

REGISTERED = {name: vector for name, vector in VECTORS.items() if "registry" in vector}
DECIDING = [("provisioning/enrolment/enrol.py", "enrol"), ("provisioning/renew.py", "renew")]
"""Where the registry's refusals are made."""


async def fill(tx: Transaction, vector: dict[str, Any]) -> None:
    """Put into the registry what the vector says that the platform knows."""
    now, registry = now_of(vector), vector["registry"]
    await add_own_upstream(tx, now=now)
    await add_tenant(tx, "acme", title="", actor="t", now=now)
    for known in registry["devices"]:
        device = DeviceId.parse(known["id"])
        is_over = known["state"] == "decommissioned"
        await tx.devices.put(
            Device(
                id=device,
                model="EX-100",
                hardware_identity="pkcs11",
                minted=True,
                idevid_fingerprint=known["idevid"],
                tenant=None if is_over else "acme",
                ownership=Ownership.DECOMMISSIONED if is_over else Ownership.OWNED,
                upstream=None if is_over else "here",
                epoch=known["epoch"],
                registered_at=now,
            )
        )
        state = State.SUPERSEDED if is_over else State(known["state"])
        await tx.enrolments.put(run(device, state, now))
    for number, known in enumerate(registry["certificates"], 1):
        await tx.credentials.put(credential(known, number))


def run(device: DeviceId, state: State, now: datetime) -> Enrolment:
    return Enrolment(
        id=f"run of {device}",
        device=device,
        state=state,
        request_id="an earlier one",
        key_hash="of an earlier key",
        epoch=1,
        started_at=now,
        changed_at=now,
    )


def credential(known: dict[str, Any], number: int) -> Credential:
    end = datetime.fromisoformat(known["not_after"])
    state = CredentialState(known["state"])
    return Credential(
        fingerprint=known["fingerprint"],
        device=DeviceId.parse(known["device"]),
        enrolment=f"run of {known['device']}",
        request_id="an earlier one",
        key_hash=known["key_hash"],
        serial_number=number,
        not_before=end - timedelta(days=90),
        not_after=end,
        epoch=known["epoch"],
        certificate=b"",
        state=state,
        revoked_at=end if state is CredentialState.REVOKED else None,
    )


async def play(vector: dict[str, Any]) -> dict[str, Any]:
    """Prove the request, ask the verb, and say what came of it in the words of the vectors."""
    registry, now, issuer = FakeRegistry(), now_of(vector), FakeIssuer()
    policy = Policy(renewal_grace=timedelta(days=vector["registry"]["renewal_grace_days"]))
    await registry.transact(lambda tx: fill(tx, vector))
    came_of: object
    try:
        if vector["request"]["kind"] == "renew":
            renewal, _ = prove_renewal(vector, prover_of(vector))
            came_of = await registry.transact(
                lambda tx: renew(Renewing(tx, renewal, issuer, policy, now))
            )
        else:
            proven = prove_enrolment(vector, prover_of(vector)).proven
            came_of = await registry.transact(
                lambda tx: enrol(Visit(tx, proven, issuer, policy, now))
            )
    except HomeportError as error:
        return refused(error)
    assert isinstance(came_of, Refusal), came_of
    return refused(HomeportError(came_of.code))


@pytest.mark.parametrize("name", sorted(REGISTERED))
def test_the_verdict_is_the_expected_one(name: str) -> None:
    assert asyncio.run(play(REGISTERED[name])) == REGISTERED[name]["expected"]


@pytest.mark.parametrize("name", sorted(REGISTERED))
def test_it_is_the_registry_that_decides(name: str) -> None:
    """The request itself proves who sent it: nothing else is wrong with it."""
    vector = REGISTERED[name]
    prove = prove_renewal if vector["request"]["kind"] == "renew" else prove_enrolment
    assert prove(vector, prover_of(vector))


def named_codes(path: str) -> set[Code]:
    """Every `Code.X` in a module."""
    return {
        Code[node.attr]
        for node in ast.walk(syntax(SOURCE / path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Code"
    }


@pytest.mark.parametrize(("path", "kind"), DECIDING)
def test_every_way_to_be_refused_by_the_registry_has_a_vector(path: str, kind: str) -> None:
    have = {v["expected"]["code"] for v in REGISTERED.values() if v["request"]["kind"] == kind}
    codes = named_codes(path)
    assert {Code.KEY_TAKEN, Code.KEY_REVOKED, Code.EPOCH_STALE, Code.CREDENTIAL_REVOKED} <= codes
    assert codes - have == set()
