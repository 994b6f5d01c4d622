# SPDX-License-Identifier: Apache-2.0
"""Devices at the people's door: who sees which, and what is decided about them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contract.registry_suite import credential, device, device_id, event, run_of
from fakes.people_door import OPERATOR, document, member
from homeport.domain.audit import Name
from homeport.domain.enrolment import State
from homeport.domain.ownership import Ownership
from homeport.domain.people import Caller, Permission, Role
from homeport.provisioning.ports import Presence

ENGINEER = member(Role.ENGINEER)
VIEWER = member(Role.VIEWER)
HERS = Caller(actor="hera", account="9", roles={"acme": Role.VIEWER, "bolt": Role.ENGINEER})
FOREIGN = member(Role.ADMIN, "bolt")


def owned(serial, tenant="acme", **changes):
    known = device(serial, tenant=tenant, upstream="here", epoch=2, ownership=Ownership.OWNED)
    return replace(known, **changes)


@pytest.fixture
def fleet(door):
    """EX-1 and EX-2 of acme, EX-3 of bolt, EX-4 of nobody; EX-1 runs, EX-4 is parked."""
    now = door.clock.now()

    async def fill(tx):
        for known in (owned("EX-1"), owned("EX-2", model="sensor"), owned("EX-3", "bolt")):
            await tx.devices.put(known)
        await tx.devices.put(device("EX-4"))
        await tx.enrolments.put(run_of(1, device=device_id("EX-1"), epoch=2, changed_at=now))
        parked = run_of(4, State.AWAITING_OWNER, device=device_id("EX-4"), changed_at=now)
        await tx.enrolments.put(parked)
        await tx.presence.put(device_id("EX-1"), Presence(online=True, since=now))
        former = credential(1, device=device_id("EX-1"), epoch=1)
        present = credential(2, device=device_id("EX-1"), epoch=2)
        for issued in (former, present):
            await tx.credentials.put(issued)
        for tenant in (None, "bolt", "acme"):
            registered = event(Name.DEVICE_REGISTERED, device=device_id("EX-1"), tenant=tenant)
            await tx.audit.record(replace(registered, facts={"source": f"of {tenant}"}))

    door.runner.run(door.registry.transact(fill))
    return door


def path(serial):
    return f"/devices/{device_id(serial)}"


def serials(answer):
    return [item["serial_number"] for item in document(answer)["items"]]


def add_candidate(door, serial="EX-1", number=7):
    waiting = run_of(number, State.AWAITING_DECISION, device=device_id(serial))
    door.runner.run(door.registry.transact(lambda tx: tx.enrolments.put(waiting)))
    return waiting.key_hash


@pytest.mark.parametrize(
    ("caller", "query", "expected"),
    [
        (OPERATOR, {}, "1 2 3 4"),
        (VIEWER, {}, "1 2"),
        (HERS, {}, "1 2 3"),
        (HERS, {"tenant": "bolt"}, "3"),
        (OPERATOR, {"tenant": "bolt"}, "3"),
        (OPERATOR, {"state": "awaiting-owner"}, "4"),
        (VIEWER, {"state": "awaiting-owner"}, ""),
        (VIEWER, {"state": "registered"}, "2"),
        (VIEWER, {"model": "sensor"}, "2"),
        (VIEWER, {"online": "true"}, "1"),
        (VIEWER, {"online": "false"}, "2"),
        (VIEWER, {"minted": "true"}, ""),
        (VIEWER, {"search": "EX-"}, "1 2"),
        (VIEWER, {"search": "EX-3"}, ""),
        (OPERATOR, {"serial_number": "EX-3"}, "3"),
        (FOREIGN, {"serial_number": "EX-1"}, ""),
        (Caller(actor="nemo"), {}, ""),
    ],
)
def test_everybody_sees_their_own(fleet, caller, query, expected):
    answer = fleet.ask("GET", "/devices", caller, query=query)
    assert answer.status == 200
    assert serials(answer) == [f"EX-{number}" for number in expected.split()]


def test_what_is_listed_is_told_in_full(fleet):
    first = document(fleet.ask("GET", "/devices", VIEWER))["items"][0]
    now = fleet.clock.now().isoformat().replace("+00:00", "Z")
    assert first == {
        "id": str(device_id("EX-1")),
        "serial_number": "EX-1",
        "model": "gateway",
        "hardware_identity": "pkcs11",
        "minted": False,
        "state": "operational",
        "missing": None,
        "tenant": "acme",
        "upstream": "here",
        "epoch": 2,
        "ownership": "owned",
        "since": now,
        "online": True,
        "online_since": now,
        "quarantined": False,
    }


def test_pages_hold_as_many_as_were_asked_for(fleet):
    first = document(fleet.ask("GET", "/devices", HERS, query={"limit": "2"}))
    rest = {"limit": "2", "after": first["next"]}
    assert serials(fleet.ask("GET", "/devices", HERS, query=rest)) == ["EX-3"]


@pytest.mark.parametrize("caller", [FOREIGN, Caller(actor="nemo")])
@pytest.mark.parametrize("tail", ["", "/timeline"])
@pytest.mark.parametrize("serial", ["EX-1", "EX-4", "EX-9"])
def test_a_foreign_device_does_not_exist(fleet, caller, tail, serial):
    answer = fleet.ask("GET", path(serial) + tail, caller)
    assert (answer.status, document(answer)["code"]) == (404, "not-found")


@pytest.mark.parametrize("text", ["EX-1", "x", "a" * 16, f"{device_id('EX-1')}%00", "..", "%2e"])
def test_what_is_no_id_is_no_device(fleet, text):
    assert fleet.ask("GET", f"/devices/{text}").status == 404


def test_a_tenant_that_is_not_theirs_cannot_be_listed(fleet):
    assert fleet.ask("GET", "/devices", VIEWER, query={"tenant": "bolt"}).status == 404


def test_certificates_of_a_former_owner_are_not_shown(fleet):
    shown = document(fleet.ask("GET", path("EX-1"), VIEWER))
    assert [each["fingerprint"] for each in shown["credentials"]] == [f"{2:064x}"]
    assert len(document(fleet.ask("GET", path("EX-1")))["credentials"]) == 2


def test_a_timeline_leaves_out_what_was_another_s_affair(fleet):
    def sources(caller):
        items = document(fleet.ask("GET", f"{path('EX-1')}/timeline", caller))["items"]
        return [item["facts"]["source"] for item in items]

    assert sources(VIEWER) == ["of None", "of acme"]
    assert sources(HERS) == ["of None", "of bolt", "of acme"]
    assert sources(OPERATOR) == ["of None", "of bolt", "of acme"]


def test_a_timeline_is_read_page_by_page(fleet):
    told: list[str] = []
    after: str | None = "0"
    while after is not None:
        query = {"limit": "1", "after": after}
        page = document(fleet.ask("GET", f"{path('EX-1')}/timeline", VIEWER, query=query))
        told += [item["facts"]["source"] for item in page["items"]]
        after = page["next"]
    assert told == ["of None", "of acme"]


@pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "1.5", "²"])
def test_what_is_no_cursor_of_a_timeline_is_refused(fleet, after):
    answer = fleet.ask("GET", f"{path('EX-1')}/timeline", query={"after": after})
    assert document(answer)["code"] == "malformed"


def test_a_parked_device_says_what_would_help(fleet):
    shown = document(fleet.ask("GET", path("EX-4")))
    assert (shown["state"], shown["missing"]) == ("awaiting-owner", "owner")
    assert "homeport device assign EX-4" in shown["advice"][0]


def test_the_operator_assigns(fleet):
    said = {"tenant": "bolt"}
    answer = fleet.ask("POST", f"{path('EX-4')}/assign", said=said)
    assert answer.status == 200
    shown = document(answer)
    assert (shown["tenant"], shown["upstream"], shown["epoch"]) == ("bolt", "here", 1)
    assert serials(fleet.ask("GET", "/devices", FOREIGN)) == ["EX-3", "EX-4"]


def test_nobody_else_assigns(fleet):
    said = {"tenant": "acme"}
    admin = member(Role.ADMIN)
    assert fleet.ask("POST", f"{path('EX-4')}/assign", admin, said=said).status == 404
    assert fleet.ask("POST", f"{path('EX-1')}/assign", admin, said=said).status == 403
    key = Caller(actor="key erp", is_operator=True, scopes=frozenset({Permission.SALES_WRITE}))
    assert fleet.ask("POST", f"{path('EX-4')}/assign", key, said=said).status == 200


def test_an_engineer_revokes_and_readmits(fleet):
    shown = document(fleet.ask("POST", f"{path('EX-1')}/revoke", ENGINEER))
    assert shown["state"] == "revoked"
    assert {each["state"] for each in shown["credentials"]} == {"revoked"}
    again = fleet.ask("POST", f"{path('EX-1')}/revoke", ENGINEER)
    assert document(again)["code"] == "transition-illegal"
    assert document(fleet.ask("POST", f"{path('EX-1')}/readmit", ENGINEER))["state"] == "superseded"


def test_the_reason_and_who_said_it_are_told(fleet):
    said = {"reason": "stolen “yesterday” 🚲"}
    fleet.ask("POST", f"{path('EX-1')}/revoke", ENGINEER, said=said)
    items = document(fleet.ask("GET", f"{path('EX-1')}/timeline", VIEWER))["items"]
    assert items[-1]["facts"]["reason"] == said["reason"]
    assert items[-1]["actor"] == ENGINEER.actor


@pytest.mark.parametrize("verb", ["revoke", "readmit", "accept", "refuse"])
def test_who_may_only_look_decides_nothing(fleet, verb):
    assert fleet.ask("POST", f"{path('EX-1')}/{verb}", VIEWER).status == 403
    assert fleet.ask("POST", f"{path('EX-1')}/{verb}", FOREIGN).status == 404
    assert document(fleet.ask("GET", path("EX-1")))["state"] == "operational"


def test_a_second_key_is_accepted_or_refused(fleet):
    one, other = add_candidate(fleet, number=7), add_candidate(fleet, number=8)
    unclear = fleet.ask("POST", f"{path('EX-1')}/accept", ENGINEER)
    assert unclear.status == 409
    assert one[:16] in document(unclear)["detail"]
    refused = fleet.ask("POST", f"{path('EX-1')}/refuse", ENGINEER, said={"key": one})
    assert [each["key"] for each in document(refused)["candidates"]] == [other]
    accepted = document(fleet.ask("POST", f"{path('EX-1')}/accept", ENGINEER))
    assert (accepted["state"], accepted["candidates"]) == ("proven", [])


def test_a_decision_about_what_was_not_seen_is_refused(fleet):
    add_candidate(fleet, number=7)
    seen = fleet.ask("GET", path("EX-1"), ENGINEER).headers["etag"]
    copy = add_candidate(fleet, number=8)
    said, headers = {"key": copy}, {"if-match": seen}
    answer = fleet.ask("POST", f"{path('EX-1')}/accept", ENGINEER, said=said, headers=headers)
    assert (answer.status, document(answer)["code"]) == (412, "changed-meanwhile")
    seen = fleet.ask("GET", path("EX-1"), ENGINEER).headers["etag"]
    headers = {"if-match": seen}
    answer = fleet.ask("POST", f"{path('EX-1')}/accept", ENGINEER, said=said, headers=headers)
    assert answer.status == 200
    assert answer.headers["etag"] != seen


def test_what_a_device_does_by_itself_changes_no_tag(fleet):
    seen = fleet.ask("GET", path("EX-1"), ENGINEER).headers["etag"]
    gone = Presence(online=False, since=fleet.clock.now() + timedelta(seconds=5))
    fleet.runner.run(fleet.registry.transact(lambda tx: tx.presence.put(device_id("EX-1"), gone)))
    assert fleet.ask("GET", path("EX-1"), ENGINEER).headers["etag"] == seen


def test_a_decision_with_a_key_is_made_once(fleet):
    headers = {"idempotency-key": "k"}
    first = fleet.ask("POST", f"{path('EX-1')}/revoke", ENGINEER, headers=headers)
    again = fleet.ask("POST", f"{path('EX-1')}/revoke", ENGINEER, headers=headers)
    assert (again.status, document(again)) == (200, document(first))
    elsewhere = fleet.ask("POST", f"{path('EX-2')}/revoke", ENGINEER, headers=headers)
    assert document(elsewhere)["code"] == "idempotency-key-used"


def test_who_lost_the_role_gets_nothing_of_before(fleet):
    headers = {"idempotency-key": "k"}
    fleet.ask("POST", f"{path('EX-1')}/revoke", ENGINEER, headers=headers)
    demoted = replace(ENGINEER, roles={"acme": Role.VIEWER})
    again = fleet.ask("POST", f"{path('EX-1')}/revoke", demoted, headers=headers)
    assert again.status == 403
