# SPDX-License-Identifier: Apache-2.0
"""Claims and claim codes: one pending claim a device, whoever is faster."""

import asyncio
from dataclasses import replace

from contract.registry_suite import (
    LATER,
    NOW,
    add_tenants,
    device,
    device_id,
    minted,
    opened,
)
from homeport.domain.claim import Claim, ClaimCode, ClaimState
from homeport.errors import Code, HomeportError

__all__ = ["opened"]


def claim(number=1, tenant="acme", serial="SN-0001", **changes):
    made = Claim(
        id=f"{number:032x}",
        device=device_id(serial),
        tenant=tenant,
        actor="Ann <ann@example.com>",
        claimed_at=NOW,
    )
    return replace(made, **changes)


def prepare(opened, *serials):
    opened.do(add_tenants)
    for serial in serials or ("SN-0001",):
        opened.do(lambda tx, serial=serial: tx.devices.put(device(serial)))


def test_a_claim_is_returned_as_it_was_put(opened):
    prepare(opened)
    assert opened.see(lambda tx: tx.claims.get(claim().id)) is None
    opened.do(lambda tx: tx.claims.put(claim()))
    assert opened.see(lambda tx: tx.claims.get(claim().id)) == claim()
    assert opened.see(lambda tx: tx.claims.pending(device_id())) == claim()
    assert opened.see(lambda tx: tx.claims.pending(device_id("SN-2"))) is None


def test_putting_it_again_changes_its_state_and_nothing_else(opened):
    prepare(opened)
    opened.do(lambda tx: tx.claims.put(claim()))
    ended = claim(tenant="bolt", state=ClaimState.OVERRULED, ended_at=LATER)
    opened.do(lambda tx: tx.claims.put(ended))
    assert opened.see(lambda tx: tx.claims.get(claim().id)) == replace(ended, tenant="acme")
    assert opened.see(lambda tx: tx.claims.pending(device_id())) is None


def test_a_device_has_one_pending_claim_and_any_number_of_ended_ones(opened):
    prepare(opened)
    opened.do(lambda tx: tx.claims.put(claim(1, state=ClaimState.WITHDRAWN, ended_at=LATER)))
    opened.do(lambda tx: tx.claims.put(claim(2)))
    opened.refuses(Code.ALREADY_EXISTS, lambda tx: tx.claims.put(claim(3, "bolt")))
    opened.do(lambda tx: tx.claims.put(claim(4, "bolt", state=ClaimState.CONFIRMED)))
    assert opened.see(lambda tx: tx.claims.pending(device_id())) == claim(2)


def test_of_claims_in_the_same_instant_exactly_one_is_kept(opened):
    prepare(opened)

    async def work():
        verbs = [
            opened.registry.transact(
                lambda tx, n=n: tx.claims.put(claim(n, ("acme", "bolt")[n % 2]))
            )
            for n in range(40)
        ]
        return await asyncio.gather(*verbs, return_exceptions=True)

    results = opened.run(work())
    refused = [result for result in results if isinstance(result, HomeportError)]
    assert len(refused) == 39
    assert {error.code for error in refused} == {Code.ALREADY_EXISTS}


def test_pending_claims_are_paged_by_id(opened):
    serials = [f"SN-{number}" for number in range(6)]
    prepare(opened, *serials)
    made = [claim(n, ("acme", "bolt")[n % 2], serial) for n, serial in enumerate(serials)]
    made[4] = replace(made[4], state=ClaimState.CONFIRMED, ended_at=LATER)
    for each in made:
        opened.do(lambda tx, each=each: tx.claims.put(each))

    def page(tenant, after=None, limit=10):
        return opened.see(lambda tx: tx.claims.page(tenant, after=after, limit=limit))

    assert page("acme") == [made[0], made[2]]
    assert page("bolt", made[1].id, 1) == [made[3]]
    assert page(None, made[0].id, 3) == made[1:4]
    assert page("nobody") == []


def test_a_claim_names_what_is_there(opened):
    prepare(opened)
    opened.refuses(Code.NOT_FOUND, lambda tx: tx.claims.put(claim(tenant="nobody")))
    opened.refuses(Code.NOT_FOUND, lambda tx: tx.claims.put(claim(serial="SN-2")))


def test_the_manifests_code_counts_for_the_first_epoch(opened):
    assert opened.see(lambda tx: tx.claim_codes.get(device_id())) is None
    opened.import_minted(device_id().authority, minted())
    code = opened.see(lambda tx: tx.claim_codes.get(device_id()))
    assert code == ClaimCode(bytes.fromhex("33" * 32), 0)


def test_another_code_takes_its_place_and_outlives_changes_of_the_device(opened):
    opened.do(add_tenants)
    opened.import_minted(device_id().authority, minted())
    fresh = ClaimCode(bytes(range(32)), 7)
    opened.do(lambda tx: tx.claim_codes.put(device_id(), fresh))
    opened.do(lambda tx: tx.devices.put(device(tenant="acme", epoch=8)))
    assert opened.see(lambda tx: tx.claim_codes.get(device_id())) == fresh
    opened.do(lambda tx: tx.claim_codes.put(device_id("SN-unknown"), fresh))
    assert opened.see(lambda tx: tx.claim_codes.get(device_id("SN-unknown"))) is None
