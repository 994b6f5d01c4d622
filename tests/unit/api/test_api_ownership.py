# SPDX-License-Identifier: Apache-2.0
"""Claims, the ledger and sales at the people's door."""

from datetime import timedelta

import pytest

from contract.registry_suite import device
from fakes.people_door import OPERATOR, member
from fakes.people_door import document as told_by
from homeport.artefacts.claim_code import make_claim_code
from homeport.domain.audit import Name
from homeport.domain.people import Role
from unit.api.samples.ownership import CODE, NEW, with_code


def document(answer, status=200):
    """The answer's document, after its status was compared."""
    assert answer.status == status
    return told_by(answer)


ANN, BOB = member(Role.INSTALLER), member(Role.INSTALLER, "bolt")
PATH = f"/devices/{NEW}"


@pytest.fixture
def shop(door):
    door.runner.run(door.registry.transact(lambda tx: tx.devices.put(device("NEW-0001"))))
    door.runner.run(door.registry.transact(with_code))
    return door


def claim(door, caller=ANN, code=CODE, tenant="acme", device="NEW-0001", **headers):
    said = {"device": device, "code": code, "tenant": tenant}
    return door.ask("POST", "/claims", caller, said=said, headers=headers)


def names(door):
    events = door.runner.run(door.registry.read(lambda tx: tx.audit.since(0)))
    return [event.name for event in events]


def test_a_device_is_claimed_listed_and_withdrawn(shop):
    made = document(claim(shop), 201)
    assert (made["state"], made["tenant"], made["device"]) == ("pending", "acme", str(NEW))
    assert document(shop.ask("GET", "/claims", ANN))["items"] == [made]
    assert document(shop.ask("GET", "/claims", BOB))["items"] == []
    assert document(shop.ask("GET", "/claims"))["items"] == [made]
    assert shop.ask("DELETE", f"/claims/{made['id']}", BOB).status == 404
    ended = document(shop.ask("DELETE", f"/claims/{made['id']}", ANN))
    assert ended["state"] == "withdrawn"
    assert document(shop.ask("GET", "/claims", ANN))["items"] == []


def test_wrong_and_unknown_are_one_answer_and_are_recorded(shop):
    wrong = document(claim(shop, code=make_claim_code()), 403)
    unknown = document(claim(shop, device="EX-99"), 403)
    assert wrong == unknown
    assert names(shop).count(Name.CLAIM_REFUSED) == 2


def test_who_guesses_waits_and_nobody_else_does(shop):
    for _ in range(5):
        assert claim(shop, BOB, make_claim_code(), "bolt").status == 403
    slowed = claim(shop, BOB, make_claim_code(), "bolt")
    assert (slowed.status, int(slowed.headers["retry-after"]) > 0) == (429, True)
    assert claim(shop, BOB, CODE, "bolt").status == 429, "not even with the right one"
    assert claim(shop).status == 201, "the true owner"
    shop.clock.turn(timedelta(seconds=60))
    assert claim(shop, BOB, make_claim_code(), "bolt").status == 403


def test_right_codes_never_slow_an_installer_down(shop):
    for _ in range(20):
        made = document(claim(shop), 201)
        shop.ask("DELETE", f"/claims/{made['id']}", ANN)


def test_a_claim_of_ones_own_excuses_no_guesses(shop):
    keyed = {"idempotency-key": "own"}
    assert claim(shop, **keyed).status == 201
    statuses = []
    for headers in ({}, keyed, {}):
        shop.clock.turn(timedelta(milliseconds=1))
        statuses.append(claim(shop, code=make_claim_code(), device="VICTIM-1").status)
        statuses.append(claim(shop, **headers).status)
    assert statuses == [403, 201, 403, 201, 403, 429]


def test_a_claim_that_is_withdrawn_and_made_again_excuses_no_guesses(shop):
    statuses = []
    for _ in range(6):
        statuses.append(claim(shop, code=make_claim_code(), device="VICTIM-1").status)
        made = claim(shop)
        if made.status == 201:
            shop.ask("DELETE", f"/claims/{document(made, 201)['id']}", ANN)
    assert statuses == [403] * 5 + [429]


def test_a_claim_is_repeated_by_its_key(shop):
    first = claim(shop, **{"idempotency-key": "k"})
    again = claim(shop, **{"idempotency-key": "k"})
    assert document(first, 201) == document(again, 201)
    assert again.headers["idempotency-replayed"] == "true"


def test_nobody_claims_for_another_tenant(shop):
    assert claim(shop, BOB, tenant="acme").status == 404
    assert claim(shop, member(Role.VIEWER)).status == 403
    assert Name.CLAIM_REFUSED not in names(shop)


def test_a_fresh_code_is_shown_once_and_used_by_the_next_owner(shop):
    keyed = {"idempotency-key": "once"}
    code = document(shop.ask("POST", f"{PATH}/claim-code", headers=keyed), 201)["code"]
    assert shop.ask("POST", f"{PATH}/claim-code", headers=keyed).status == 409
    assert claim(shop).status == 403
    assert claim(shop, code=code).status == 201


def test_the_ledger_names_an_owners_own_entries(shop):
    claim(shop)
    told = document(shop.ask("GET", f"{PATH}/ownership"))
    assert (told["ownership"], told["claim"]["tenant"]) == ("claimed", "acme")
    assert [(e["kind"], e["tenant"], e["proof"]) for e in told["entries"]] == [
        ("claimed", "acme", "claim-code")
    ]


SALES = {"records": [{"serial_number": "NEW-0001", "tenant": "acme", "reference": "PO 1"}]}


def test_sales_take_effect_and_are_repeated_by_their_key(shop):
    keyed = {"idempotency-key": "s1"}
    answer = shop.ask("POST", "/sales", said=SALES, headers=keyed)
    done = document(answer)
    assert (done["new"], done["assigned"], done["failed"]) == (1, 1, 0)
    again = shop.ask("POST", "/sales", said=SALES, headers=keyed)
    assert document(again) == done
    other = {"records": [{"serial_number": "NEW-0002", "tenant": "acme"}]}
    assert document(shop.ask("POST", "/sales", said=other, headers=keyed), 409)
    assert document(shop.ask("POST", "/sales", said=SALES))["new"] == 0


def test_a_wrong_record_is_told_by_its_place_and_nothing_is_taken(shop):
    records = [*SALES["records"], {"serial_number": "X-1", "tenant": "nobody"}, {"model": "m"}]
    done = document(shop.ask("POST", "/sales", said={"records": records}))
    assert (done["new"], done["failed"]) == (0, 2)
    assert [fault["record"] for fault in done["faults"]] == [2, 3] or [
        fault["record"] for fault in done["faults"]
    ] == [3, 2]
    good = document(shop.ask("POST", "/sales", said={"records": records, "all_or_none": False}))
    assert (good["new"], good["assigned"], good["failed"]) == (1, 1, 2)


def test_sales_are_the_operators(shop):
    assert shop.ask("POST", "/sales", member(Role.ADMIN), said=SALES).status == 404
    assert shop.ask("POST", "/sales", OPERATOR, said={"records": []}).status == 400
