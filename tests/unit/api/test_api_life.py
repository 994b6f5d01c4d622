# SPDX-License-Identifier: Apache-2.0
"""A device's life at the people's door: who may what, on both sides of a transfer."""

import pytest

from contract.registry_suite import device_id
from fakes.people_door import OPERATOR, document, member
from fakes.registry.life import FakeQuarantines
from homeport.domain.ownership import Ownership
from homeport.domain.people import Role
from unit.api.samples import devices, life

SELLER, BUYER, THIRD = (member(Role.ADMIN, name) for name in ("acme", "bolt", "coil"))
ENGINEER = member(Role.ENGINEER)
DEVICE = f"/devices/{device_id(devices.SERIAL)}"


@pytest.fixture
def market(door):
    rows = door.registry.rows
    rows.upstreams.clear()
    rows.tenants.clear()
    door.runner.run(door.registry.transact(devices.fill))
    door.ask("POST", "/tenants", OPERATOR, said={"name": "coil"})
    return door


def owner(door):
    found = door.registry.rows.devices[device_id(devices.SERIAL)]
    return found.tenant, found.ownership, found.epoch


def offered(door, said=None):
    answer = door.ask("POST", f"{DEVICE}/offer", SELLER, said=said or {"tenant": "bolt"})
    assert answer.status == 201, answer.body
    return document(answer)


def test_a_device_goes_from_one_tenant_to_another(market):
    made = offered(market)
    assert made["code"] is None
    path = f"/transfers/{made['offer']['id']}"
    for side in (SELLER, BUYER, OPERATOR):
        assert document(market.ask("GET", path, side))["state"] == "open"
        assert len(document(market.ask("GET", "/transfers", side))["items"]) == 1
    assert market.ask("GET", path, THIRD).status == 404
    assert document(market.ask("GET", "/transfers", THIRD))["items"] == []
    # The seller cannot take it for the buyer, nor anybody for himself.
    for caller, tenant in ((SELLER, "bolt"), (THIRD, "bolt"), (THIRD, "coil"), (SELLER, "acme")):
        answer = market.ask("POST", f"{path}/accept", caller, said={"tenant": tenant})
        assert answer.status == 404, (caller.actor, tenant)
    assert market.ask("GET", DEVICE, BUYER).status == 404
    over = document(market.ask("POST", f"{path}/accept", BUYER, said={"tenant": "bolt"}))
    assert owner(market) == ("bolt", Ownership.AWAITING_DEVICE, 2)
    assert (over["tenant"], over["epoch"], len(over["claim_code"])) == ("bolt", 2, 23)
    assert market.ask("GET", DEVICE, SELLER).status == 404
    shown = document(market.ask("GET", DEVICE, BUYER))
    assert (shown["ownership"], shown["credentials"]) == ("awaiting-device", [])
    timeline = document(market.ask("GET", f"{DEVICE}/timeline", BUYER))["items"]
    theirs = [each["event"] for each in timeline if "acme" in each["actor"]]
    assert theirs == ["transfer:announced"], "who offered it is no secret; all else is"
    assert document(market.ask("GET", path, SELLER))["state"] == "accepted"
    assert market.ask("POST", f"{path}/accept", BUYER, said={"tenant": "bolt"}).status == 409


def test_a_code_is_shown_once_and_serves_whoever_has_it(market):
    made = offered(market, {"days": 3})
    said = {"tenant": "coil", "code": made["code"]}
    wrong = said | {"code": "0" * 20}
    assert market.ask("POST", "/transfers/accept-code", THIRD, said=wrong).status == 404
    assert market.ask("POST", "/transfers/accept-code", THIRD, said=said).status == 200
    assert owner(market)[0] == "coil"
    shown = market.ask("GET", f"/transfers/{made['offer']['id']}", SELLER)
    assert made["code"].encode() not in shown.body


def test_each_side_ends_an_offer_in_its_own_way(market):
    for caller, verb, state in ((BUYER, "decline", "declined"), (SELLER, "withdraw", "withdrawn")):
        path = f"/transfers/{offered(market)['offer']['id']}"
        other = SELLER if caller is BUYER else BUYER
        assert market.ask("POST", f"{path}/{verb}", other).status == 404
        assert document(market.ask("POST", f"{path}/{verb}", caller))["state"] == state
        assert owner(market) == ("acme", Ownership.OWNED, 1)
        assert market.ask("POST", f"{path}/{verb}", caller).status == 409


def test_an_engineer_operates_and_does_not_give_away(market):
    for verb, said in (("offer", {"tenant": "bolt"}), ("decommission", None)):
        assert market.ask("POST", f"{DEVICE}/{verb}", ENGINEER, said=said).status == 403
    asked = document(market.ask("POST", f"{DEVICE}/commands", ENGINEER, said={"order": "renew"}))
    assert asked["state"] == "asked"
    listed = document(market.ask("GET", f"{DEVICE}/commands", ENGINEER))["items"]
    assert [each["id"] for each in listed] == [asked["id"]]
    again = market.ask("POST", f"{DEVICE}/commands", ENGINEER, said={"order": "rekey"})
    assert again.status == 409
    assert market.ask("POST", f"{DEVICE}/commands/withdraw", ENGINEER).status == 200
    held = {"reason": "it shouts"}
    shown = document(market.ask("POST", f"{DEVICE}/quarantine", ENGINEER, said=held))
    assert (shown["quarantined"], shown["quarantine"]["reason"]) == (True, "it shouts")
    (row,) = document(market.ask("GET", "/devices", ENGINEER))["items"]
    assert row["quarantined"]
    assert not document(market.ask("POST", f"{DEVICE}/release", ENGINEER))["quarantined"]
    assert market.ask("POST", f"{DEVICE}/quarantine", ENGINEER, said={"reason": ""}).status == 400


def test_a_list_looks_at_its_own_page_for_quarantines_only(market, monkeypatch):
    async def all_of_them(self, released_after):
        raise AssertionError("a page asked for everybody's quarantines")

    monkeypatch.setattr(FakeQuarantines, "to_enforce", all_of_them)
    market.ask("POST", f"{DEVICE}/quarantine", ENGINEER, said={"reason": "it shouts"})
    (row,) = document(market.ask("GET", "/devices", ENGINEER))["items"]
    assert row["quarantined"]


def test_a_new_owner_does_not_see_what_the_old_one_asked(market):
    market.ask("POST", f"{DEVICE}/commands", ENGINEER, said={"order": "renew"})
    path = f"/transfers/{offered(market)['offer']['id']}"
    market.ask("POST", f"{path}/accept", BUYER, said={"tenant": "bolt"})
    assert document(market.ask("GET", f"{DEVICE}/commands", BUYER))["items"] == []


def test_who_had_a_device_takes_it_back(market):
    assert market.ask("POST", f"{DEVICE}/recommission", SELLER).status == 404, "it is in use"
    assert document(market.ask("POST", f"{DEVICE}/decommission", SELLER))["tenant"] is None
    assert market.ask("GET", DEVICE, SELLER).status == 404
    for caller, said in ((BUYER, None), (SELLER, {"tenant": "bolt"})):
        assert market.ask("POST", f"{DEVICE}/recommission", caller, said=said).status == 404
    back = document(market.ask("POST", f"{DEVICE}/recommission", SELLER))
    assert (back["tenant"], back["epoch"]) == ("acme", 2)
    market.ask("POST", f"{DEVICE}/decommission", SELLER)
    assert document(market.ask("POST", f"{DEVICE}/recommission", OPERATOR))["tenant"] is None


def test_a_device_of_another_tenant_takes_no_place(market):
    foreign = str(device_id("BOLT-0001"))
    answer = market.ask("POST", f"{DEVICE}/replace", ENGINEER, said={"device": foreign})
    assert answer.status == 404
    market.runner.run(market.registry.transact(life.spare))
    said = {"device": str(life.SPARE.id)}
    answer = market.ask("POST", f"{DEVICE}/replace", ENGINEER, said=said)
    assert document(answer)["state"] == "revoked"
    undo = f"/devices/{life.SPARE.id}/undo-replacement"
    assert market.ask("POST", undo, ENGINEER).status == 200
    assert market.ask("POST", undo, ENGINEER).status == 409


def test_a_change_meanwhile_is_noticed(market):
    seen = market.ask("GET", DEVICE, ENGINEER)
    tag = {"if-match": seen.headers["etag"]}
    said = {"reason": "odd"}
    answer = market.ask("POST", f"{DEVICE}/quarantine", ENGINEER, said=said, headers=tag)
    assert answer.status == 200
    answer = market.ask("POST", f"{DEVICE}/release", ENGINEER, headers=tag)
    assert answer.status == 412
