# SPDX-License-Identifier: Apache-2.0
"""Contexts, twins and schemas at the people's door."""

import pytest

from contract.registry_suite import device, device_id
from fakes.people_door import document, member
from homeport.domain.ownership import Ownership
from homeport.domain.people import Role

ENGINEER = member(Role.ENGINEER)
ADMIN = member(Role.ADMIN)
PATH = f"/devices/{device_id('EX-1')}"
SCHEMA = {"type": "object", "properties": {"floor": {"type": "integer"}}}


@pytest.fixture
def acme(door):
    async def fill(tx):
        known = device("EX-1", tenant="acme", epoch=1, ownership=Ownership.OWNED)
        await tx.devices.put(known)

    door.runner.run(door.registry.transact(fill))
    return door


def patch(door, path, said, **headers):
    sent = {"content-type": "application/merge-patch+json", **headers}
    return door.ask("PATCH", PATH + path, ENGINEER, said=said, headers=sent)


def test_a_context_is_changed_by_a_merge_patch(acme):
    empty = document(acme.ask("GET", f"{PATH}/context", ENGINEER))
    assert (empty["version"], empty["name"], empty["misfits"]) == (0, "", [])
    first = {"name": "Pump", "tags": ["b", "a"], "attributes": {"floor": 1, "x": {"y": 2}}}
    assert patch(acme, "/context", first).status == 200
    second = {"tags": None, "location": {"text": "Hall"}, "attributes": {"x": {"y": None}}}
    answer = patch(acme, "/context", second)
    shown = document(answer)
    assert (shown["version"], shown["name"], shown["tags"]) == (2, "Pump", [])
    assert shown["location"] == {"text": "Hall", "latitude": None, "longitude": None}
    assert shown["attributes"] == {"floor": 1, "x": {}}


def test_of_two_who_read_the_same_the_second_is_told(acme):
    for path, said in (("/context", {"name": "Mine"}), ("/twin", {"a": 1})):
        tag = acme.ask("GET", PATH + path, ENGINEER).headers["etag"]
        changed = patch(acme, path, said, **{"if-match": tag})
        assert changed.status == 200
        refused = patch(acme, path, {"other": 1} if path == "/twin" else {}, **{"if-match": tag})
        assert (refused.status, document(refused)["code"]) == (412, "changed-meanwhile")
        again = patch(acme, path, said, **{"if-match": changed.headers["etag"]})
        assert again.headers["etag"] == changed.headers["etag"], "nothing changed"


def test_a_twin_is_changed_by_a_merge_patch(acme):
    patch(acme, "/twin", {"setpoint": 21, "mode": {"day": True}})
    shown = document(patch(acme, "/twin", {"setpoint": None, "mode": {"night": False}}))
    assert shown["desired"] == {"mode": {"day": True, "night": False}}
    assert (shown["version"], shown["is_pushed"], shown["reported"]) == (2, False, {})


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/context", {"owner": "me"}),
        ("/context", {"name": "a\nb"}),
        ("/context", {"attributes": {"a": {"b": [[[[[[[[[[1]]]]]]]]]]}}}),
        ("/context", {"location": {"latitude": 1}}),
        ("/twin", {"a": 2**60}),
        ("/twin", {"": 1}),
        ("/twin", [1]),
    ],
)
def test_what_cannot_be_is_refused(acme, path, said):
    assert patch(acme, path, said).status == 400


def test_what_is_too_large_is_refused(acme):
    assert patch(acme, "/twin", {"a": "x" * 9000}).status == 413


def test_a_schema_is_kept_and_shows_what_does_not_fit(acme):
    patch(acme, "/context", {"attributes": {"floor": "ground"}})
    schema = "/tenants/acme/models/gateway/schema"
    assert acme.ask("GET", schema, ADMIN).status == 404
    assert document(acme.ask("PUT", schema, ADMIN, said=SCHEMA))["version"] == 1
    assert document(acme.ask("GET", schema, ENGINEER))["document"] == SCHEMA
    shown = document(acme.ask("GET", f"{PATH}/context", ENGINEER))
    assert shown["misfits"] == [{"attribute": "floor", "reason": "is no integer"}]
    wrong = document(patch(acme, "/context", {"attributes": {"floor": "first"}}))
    assert wrong["code"] == "attribute-misfit"
    regex = {**SCHEMA, "properties": {"a": {"type": "string", "pattern": "(a+)+$"}}}
    assert document(acme.ask("PUT", schema, ADMIN, said=regex))["code"] == "schema-malformed"


def test_contexts_are_imported_and_listed(acme):
    file = b"serial_number,name,attributes.floor\nEX-1,Pump,2\nEX-9,Who,1\n"
    path = "/tenants/acme/contexts/import"
    tried = document(acme.ask("POST", path, ENGINEER, body=file, query={"dry_run": "true"}))
    assert (tried["lines"], tried["changed"], tried["wrong"]) == (2, 1, 1)
    refused = document(acme.ask("POST", path, ENGINEER, body=file))
    assert (refused["code"], "line 3" in refused["detail"]) == ("context-lines-wrong", True)
    taken = acme.ask("POST", path, ENGINEER, body=file, query={"good_lines": "true"})
    assert document(taken)["faults"] == [{"line": 3, "reason": "acme has no device EX-9"}]
    (listed,) = document(acme.ask("GET", "/tenants/acme/contexts", ENGINEER))["items"]
    assert (listed["name"], listed["attributes"]) == ("Pump", {"floor": 2})
    patch(acme, "/context", {"tags": ["hall"]})
    for query, count in (({"name": "pu"}, 1), ({"name": "x"}, 0), ({"tag": "hall"}, 1),
                         ({"tag": "Hall"}, 0)):  # fmt: skip
        found = acme.ask("GET", "/tenants/acme/contexts", ENGINEER, query=query)
        assert len(document(found)["items"]) == count
    assert acme.ask("POST", path, ENGINEER, body=b"\xff\xfe\x00").status == 400


def test_a_file_of_contexts_has_a_limit(acme):
    path = "/tenants/acme/contexts/import"
    piece = b"serial_number\n" * 75_000
    answer = acme.ask("POST", path, ENGINEER, body=iter([piece] * 17))
    assert (answer.status, document(answer)["code"]) == (413, "too-large")
