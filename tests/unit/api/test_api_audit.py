# SPDX-License-Identifier: Apache-2.0
"""What happened, at the people's door: lists, exports and heads."""

import json
from pathlib import Path

import pytest

from fakes.people_door import OPERATOR, PeopleDoor, document, member
from fakes.sealed_trail import Sealer, record
from homeport.domain.people import Permission, Role
from homeport.provisioning.audit.export import verify_export

ADMIN = member(Role.ADMIN)


@pytest.fixture
def told(door: PeopleDoor) -> PeopleDoor:
    """Twelve events; every third is the platform's own."""
    door.runner.run(record(door.registry, 12))
    return door


def cursors(door, caller=OPERATOR, path="/audit/events", **query):
    answer = door.ask("GET", path, caller, query=query)
    assert answer.status == 200, answer.body
    return [item["cursor"] for item in document(answer)["items"]]


def test_events_are_listed_in_both_orders_and_in_pages(told):
    assert cursors(told) == list(range(1, 13))
    first = document(told.ask("GET", "/audit/events", query={"limit": "5", "order": "newest"}))
    assert [e["cursor"] for e in first["items"]] == [12, 11, 10, 9, 8]
    rest = cursors(told, order="newest", after=first["next"], limit="100")
    assert rest == [7, 6, 5, 4, 3, 2, 1]


def test_an_event_is_told_whole(told):
    (event,) = document(told.ask("GET", "/audit/events", query={"limit": "1"}))["items"]
    assert event["name"] == "enrolment:started"
    assert event["facts"] == {"number": 1, "peer": "192.0.2.1"}
    assert event["story"] == "proved who it is and asked for its place (from 192.0.2.1)"
    assert (event["tenant"], event["actor"]) == ("acme", "device")


def test_filters(told):
    assert cursors(told, name="device:registered", limit="2") == [2, 4]
    assert cursors(told, device="aaaaaaaaaaaaaaaa-SN-7") == [7]
    assert cursors(told, actor="nobody") == []
    assert cursors(told, since="2100-01-01T00:00:00Z") == []
    assert cursors(told, tenant="acme") == [n for n in range(1, 13) if n % 3]


@pytest.mark.parametrize(
    "query",
    [
        {"after": "x"},
        {"since": "2026-01-01T00:00:00"},
        {"device": "nonsense"},
        {"name": "device:melted"},
        {"order": "random"},
        {"limit": "0"},
    ],
)
def test_what_makes_no_sense_is_refused(told, query):
    assert told.ask("GET", "/audit/events", query=query).status == 400


def test_a_tenants_admin_sees_its_own_and_a_viewer_nothing(told):
    assert cursors(told, ADMIN) == [n for n in range(1, 13) if n % 3]
    assert told.ask("GET", "/audit/events", ADMIN, query={"tenant": "bolt"}).status == 404
    assert told.ask("GET", "/audit/events", member(Role.VIEWER)).status == 403
    assert cursors(told, member(Role.ADMIN, "bolt")) == []
    key = member(Role.ADMIN, scopes={Permission.DEVICES_READ})
    assert told.ask("GET", "/audit/events", key).status == 403


def test_the_operators_export_can_be_verified(told, tmp_path: Path):
    sealer = Sealer(tmp_path)
    told.runner.run(sealer.fill(told.registry, 3))
    answer = told.ask("GET", "/audit/export")
    assert answer.headers["content-type"].startswith("application/jsonl")
    report = verify_export(answer.body.splitlines(), sealer.verifier)
    assert report.holds
    assert (report.events, report.heads) == (15, 1)


def test_a_tenants_export_has_its_own_events_and_no_heads(told, tmp_path: Path):
    told.runner.run(Sealer(tmp_path).fill(told.registry, 3))
    lines = told.ask("GET", "/audit/export", ADMIN).body.splitlines()
    assert {json.loads(line)["event"]["tenant"] for line in lines} == {"acme"}


def test_heads_are_listed_for_the_operator_only(told, tmp_path: Path):
    heads = told.runner.run(Sealer(tmp_path).fill(told.registry, 3, 1))
    page = document(told.ask("GET", "/audit/heads", query={"limit": "1"}))
    assert (page["items"][0]["number"], page["next"]) == (1, "1")
    assert page["items"][0]["jws"] == json.loads(heads[0])
    more = document(told.ask("GET", "/audit/heads", query={"after": "1"}))
    assert [head["first"] for head in more["items"]] == [16]
    assert told.ask("GET", "/audit/heads", ADMIN).status in (403, 404)


def test_a_door_for_one_command_has_no_streams(told):
    assert told.ask("GET", "/events").status == 404
