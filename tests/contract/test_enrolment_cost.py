# SPDX-License-Identifier: Apache-2.0
"""What an enrolment asks of the database: each question more is paid by every device."""

import asyncio
from dataclasses import replace

import pytest

from contract.registry_suite import NOW, add_tenants, device
from fakes.issuer import FakeIssuer
from homeport.domain.ownership import Ownership
from homeport.provisioning.add_upstream import add_own_upstream
from homeport.provisioning.enrolment.enrol import enrol
from homeport.provisioning.enrolment.outcome import Outcome
from homeport.provisioning.enrolment.visit import Visit
from homeport.provisioning.policy import Policy
from homeport.provisioning.proof import ProvenRequest
from homeport.storage.sqlite import SqliteRegistry
from homeport.storage.sqlite.connections import SqliteConnection

OWNED = replace(
    device(tenant="acme", upstream="here", epoch=1, minted=True), ownership=Ownership.OWNED
)
UNOWNED = device("SN-2", minted=True)


@pytest.fixture
def statements(monkeypatch):
    """The names of the statements' kinds, in order, as they are run."""
    run = []
    for kind in ("row", "rows", "run", "run_many"):
        real = getattr(SqliteConnection, kind)

        async def counted(self, statement, values, real=real, kind=kind):
            run.append(kind)
            return await real(self, statement, values)

        monkeypatch.setattr(SqliteConnection, kind, counted)
    return run


def asking(known):
    return ProvenRequest(
        device=known.id,
        model=known.model,
        idevid_fingerprint=known.idevid_fingerprint,
        csr=None,  # type: ignore[arg-type]  # the fake issuer does not look at it
        key_hash=f"key of {known.id}",
        request_id="r1",
        epoch=0,
        peer="192.0.2.7",
    )


def counts(tmp_path, statements, known):
    """How many statements the first request takes, and the same one repeated."""

    async def run():
        issuer = FakeIssuer()
        async with SqliteRegistry(tmp_path / "registry.db") as registry:
            await registry.transact(lambda tx: add_own_upstream(tx, now=NOW))
            await registry.transact(add_tenants)
            await registry.transact(lambda tx: tx.devices.put(known))
            for _ in range(2):
                statements.clear()
                outcome = await registry.transact(
                    lambda tx: enrol(Visit(tx, asking(known), issuer, Policy(), NOW))
                )
                assert isinstance(outcome, Outcome)
                yield len(statements)

    async def collect():
        return [count async for count in run()]

    return asyncio.run(collect())


def test_an_owned_device_takes_five_questions_and_three_writes(tmp_path, statements):
    assert counts(tmp_path, statements, OWNED) == [5 + 3, 5]


def test_one_without_owner_asks_for_sales_and_writes_no_credential(tmp_path, statements):
    assert counts(tmp_path, statements, UNOWNED) == [6 + 2, 6]
