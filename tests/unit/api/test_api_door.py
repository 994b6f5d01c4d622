# SPDX-License-Identifier: Apache-2.0
"""What every request at the people's door meets, whatever it asks."""

import json
from datetime import timedelta

import pytest

from fakes.people_door import OPERATOR, document, member
from homeport.api import DOCUMENT
from homeport.api.server.app import describe
from homeport.api.server.ask import NOBODY, PERMISSION_KEY, SIGNED_IN, Ask
from homeport.api.server.gate import DOCUMENT_MAX, SECURITY_HEADERS
from homeport.domain.people import Permission, Role
from homeport.errors import Code
from homeport.http.problem import MEDIA_TYPE
from homeport.http.throttle import Throttle

NEW = {"name": "coil", "title": "Coil & Söhne"}


def refused(answer, status, code):
    problem = document(answer)
    assert (answer.status, problem["code"]) == (status, code), problem
    assert answer.headers["content-type"] == MEDIA_TYPE.decode()
    assert problem["status"] == status
    return problem


def test_the_document_is_what_is_committed_and_needs_no_sign_in(door):
    answer = door.ask("GET", "/openapi.json", caller=None)
    assert answer.status == 200
    assert answer.body == DOCUMENT.read_bytes()
    assert document(answer)["openapi"].startswith("3.1")


def test_nobody_gets_in_unnamed(door):
    answer = door.ask("GET", "/tenants", caller=None)
    refused(answer, 401, "sign-in-needed")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert [error.code for error in door.noted] == [Code.SIGN_IN_NEEDED]


@pytest.mark.parametrize("path", ["/nothing", "/tenants/", "/../api", "/tenants//acme"])
def test_what_is_not_there_is_not_found(door, path):
    refused(door.ask("GET", path), 404, "not-found")


def test_a_wrong_method_names_the_right_ones(door):
    answer = door.ask("DELETE", "/tenants/acme")
    refused(answer, 405, "method-wrong")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "body.name"),
        ({"name": 5}, "body.name"),
        ({"name": "Über"}, "body.name"),
        ({"name": "coil", "title": "a\0b"}, "body.title"),
        ({"name": "coil", "title": "t" * 201}, "body.title"),
        ({"name": "coil", "color": "red"}, "body.color"),
        ([], "body"),
    ],
)
def test_a_wrong_field_is_named(door, said, field):
    problem = refused(door.ask("POST", "/tenants", said=said), 400, "malformed")
    assert problem["detail"].startswith(f"{field}: ")


def test_many_wrong_fields_are_counted(door):
    said = {f"field{number}": 1 for number in range(50)}
    problem = refused(door.ask("POST", "/tenants", said=said), 400, "malformed")
    assert problem["detail"].endswith("; and 46 more")


@pytest.mark.parametrize("body", [b"{", b"", b'{"name": "\xff"}', b"[" * 100_000])
def test_what_is_no_json_is_malformed(door, body):
    headers = {"content-type": "application/json"}
    refused(door.ask("POST", "/tenants", body=body, headers=headers), 400, "malformed")


def test_a_body_that_is_too_large_is_not_read(door):
    def pieces():
        yield b"x" * DOCUMENT_MAX
        yield b"x"
        pytest.fail("read on")

    answer = door.ask("POST", "/tenants", body=pieces())
    refused(answer, 413, "too-large")
    assert answer.headers["connection"] == "close"


def test_a_body_that_says_it_is_too_large_is_not_begun(door):
    def pieces():
        yield pytest.fail("read")

    headers = {"content-length": str(DOCUMENT_MAX + 1)}
    refused(door.ask("POST", "/tenants", body=pieces(), headers=headers), 413, "too-large")


@pytest.mark.parametrize("path", ["/tenants", "/nothing", "/openapi.json"])
def test_every_answer_is_data_and_kept_by_nobody(door, path):
    headers = door.ask("GET", path).headers
    for name, value in SECURITY_HEADERS:
        assert headers[name.decode()] == value.decode()


def test_a_fault_of_ours_is_noted_and_tells_nothing(door, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Ask, "tenants", fail)
    answer = door.ask("GET", "/tenants")
    problem = refused(answer, 500, "internal-error")
    assert "secret" not in json.dumps(problem)
    assert isinstance(door.noted[0], ZeroDivisionError)


def test_who_asks_too_fast_is_told_when_to_come_again(door):
    throttle = Throttle(rate=1, burst=2, clock=door.clock)
    object.__setattr__(door.app.state.parts, "sources", throttle)
    assert [door.ask("GET", "/tenants").status for _ in range(3)] == [200, 200, 429]
    door.clock.turn(timedelta(seconds=1))
    assert door.ask("GET", "/tenants").status == 200


def test_every_operation_names_its_permission():
    named = {
        operation["operationId"]: operation.get(PERMISSION_KEY)
        for operations in describe()["paths"].values()
        for operation in operations.values()
    }
    known = {*Permission, SIGNED_IN, NOBODY}
    assert named
    assert {name: said for name, said in named.items() if said not in known} == {}


def test_what_was_not_demanded_is_not_given_out(door, monkeypatch):
    monkeypatch.setattr(Ask, "demand", lambda *_: None)
    refused(door.ask("GET", "/tenants/acme"), 500, "internal-error")
    refused(door.ask("POST", "/tenants", said=NEW), 500, "internal-error")
    monkeypatch.undo()
    refused(door.ask("GET", "/tenants/coil"), 404, "not-found")


def test_a_member_sees_only_their_own(door):
    anna = member(Role.VIEWER)
    names = [item["name"] for item in document(door.ask("GET", "/tenants", anna))["items"]]
    assert names == ["acme"]
    assert door.ask("GET", "/tenants/acme", anna).status == 200
    refused(door.ask("GET", "/tenants/bolt", anna), 404, "not-found")


def test_a_role_that_is_too_small_is_refused(door):
    problem = refused(door.ask("POST", "/tenants", member(Role.ADMIN), said=NEW), 404, "not-found")
    assert problem["advice"]
    no_scope = member(Role.ADMIN, scopes=[Permission.DEVICES_READ])
    refused(door.ask("GET", "/tenants", no_scope), 403, "role-insufficient")


def test_pages_go_on_where_the_last_one_ended(door):
    for number in range(5):
        door.ask("POST", "/tenants", said={"name": f"t{number}"})
    first = document(door.ask("GET", "/tenants", query={"limit": "4"}))
    assert [item["name"] for item in first["items"]] == ["acme", "bolt", "t0", "t1"]
    door.ask("POST", "/tenants", said={"name": "aaa"})
    query = {"limit": "4", "after": first["next"]}
    second = document(door.ask("GET", "/tenants", query=query))
    assert [item["name"] for item in second["items"]] == ["t2", "t3", "t4"]
    assert second["next"] is None


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1"])
def test_a_page_has_a_size(door, limit):
    refused(door.ask("GET", "/tenants", query={"limit": limit}), 400, "malformed")


def test_a_request_with_a_key_is_done_once(door):
    key = {"idempotency-key": "k1"}
    first = door.ask("POST", "/tenants", said=NEW, headers=key)
    again = door.ask("POST", "/tenants", said=NEW, headers=key)
    assert (first.status, again.status) == (201, 201)
    assert document(again) == document(first)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"


def test_a_key_is_for_one_request(door):
    key = {"idempotency-key": "k1"}
    door.ask("POST", "/tenants", said=NEW, headers=key)
    other = door.ask("POST", "/tenants", said={"name": "other"}, headers=key)
    refused(other, 409, "idempotency-key-used")
    refused(door.ask("GET", "/tenants/other"), 404, "not-found")


def test_a_key_is_one_caller_s(door):
    key = {"idempotency-key": "k1"}
    door.ask("POST", "/tenants", said=NEW, headers=key)
    boris = member(Role.ADMIN, "bolt")
    refused(door.ask("POST", "/tenants", boris, said=NEW, headers=key), 404, "not-found")


def test_a_request_that_was_refused_may_be_sent_again(door):
    key = {"idempotency-key": "k1"}
    said = {"name": "coil", "upstream": "edge"}
    refused(door.ask("POST", "/tenants", said=said, headers=key), 404, "upstream-unknown")
    refused(door.ask("POST", "/tenants", said=said, headers=key), 404, "upstream-unknown")
    assert door.ask("POST", "/tenants", said=NEW, headers=key).status == 201


def test_a_key_is_forgotten_after_a_day(door):
    key = {"idempotency-key": "k1"}
    door.ask("POST", "/tenants", said=NEW, headers=key)
    door.clock.turn(timedelta(hours=24, seconds=1))
    refused(door.ask("POST", "/tenants", said=NEW, headers=key), 409, "already-exists")


def test_without_a_key_a_repetition_is_another_request(door):
    assert door.ask("POST", "/tenants", OPERATOR, said=NEW).status == 201
    refused(door.ask("POST", "/tenants", said=NEW), 409, "already-exists")
