# SPDX-License-Identifier: Apache-2.0
"""The typed client: what it sends, repeats, and makes of the answers."""

import json
from datetime import timedelta

import pytest

from contract.registry_suite import OTHER_MAKER, device, device_id
from fakes.people_door import CALLER_HEADER, OPERATOR, member
from homeport.api.client.asking import PAUSES, Asking, document, refusal_of
from homeport.api.client.platform import Platform
from homeport.api.client.transport import Answer, InProcess
from homeport.api.wire.model import Problem
from homeport.api.wire.places import NewTenant, Tenant
from homeport.domain.people import Role
from homeport.errors import Code, HomeportError, MalformedError

PROBLEM = "application/problem+json"


class Replies:
    """A transport that answers as it was told, in order."""

    def __init__(self, *replies):
        self.replies, self.sent = list(replies), []

    def send(self, request):
        self.sent.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


class As:
    """A transport to a door, for one caller."""

    def __init__(self, door, caller=OPERATOR):
        self.door, self.caller = door, caller

    def send(self, request):
        self.door.people.callers[self.caller.actor] = self.caller
        headers = {**request.headers, CALLER_HEADER: self.caller.actor}
        inner = InProcess(self.door.app, self.door.runner)
        return inner.send(type(request)(**fields(request) | {"headers": headers}))


def fields(request):
    return {name: getattr(request, name) for name in ("method", "path", "query", "body")}


def refusal(code, status=503, **more):
    body = {"code": code, "title": "T.", "advice": "A.", **more}
    headers = {"content-type": PROBLEM}
    return Answer(status=status, headers=headers, body=json.dumps(body).encode())


TENANT = Answer(
    status=201,
    headers={},
    body=b'{"name":"acme","title":"A","upstream":"here","added_at":"2026-11-23T12:00:00Z"}',
)


def asking(*replies):
    transport = Replies(*replies)
    pauses: list[float] = []
    return Asking(transport, pauses.append), transport, pauses


def test_a_request_without_an_answer_is_repeated_with_the_same_key():
    unreachable = HomeportError(Code.PLATFORM_UNREACHABLE, "no route")
    door, transport, pauses = asking(unreachable, refusal("storage-unavailable"), TENANT)
    door.post(Tenant, "tenants", said=NewTenant(name="acme"))
    keys = {request.headers["idempotency-key"] for request in transport.sent}
    assert (len(transport.sent), len(keys)) == (3, 1)
    assert pauses == [pause.total_seconds() for pause in PAUSES[:2]]


def test_another_request_has_another_key():
    door, transport, _ = asking(TENANT, TENANT)
    for _ in range(2):
        door.post(Tenant, "tenants", said=NewTenant(name="acme"))
    assert len({request.headers["idempotency-key"] for request in transport.sent}) == 2


def test_who_is_throttled_waits_as_long_as_it_is_told():
    door, _, pauses = asking(refusal("too-many-requests", 429, retry_after=7), TENANT)
    door.get(Tenant, "tenants", "acme")
    assert pauses == [7]


def test_it_gives_up_in_the_end():
    door, transport, _ = asking(*[refusal("storage-unavailable")] * 4)
    with pytest.raises(HomeportError) as caught:
        door.get(Tenant, "tenants", "acme")
    assert caught.value.code is Code.STORAGE_UNAVAILABLE
    assert len(transport.sent) == 4


def test_a_refusal_is_not_repeated():
    door, transport, _ = asking(refusal("role-insufficient", 403, detail="lacks it"))
    with pytest.raises(HomeportError, match="lacks it") as caught:
        door.get(Tenant, "tenants", "acme")
    assert caught.value.code is Code.ROLE_INSUFFICIENT
    assert len(transport.sent) == 1


def test_names_in_paths_are_escaped():
    door, transport, _ = asking(TENANT)
    door.get(Tenant, "tenants", "../a b/ü?#")
    assert transport.sent[0].path == "/api/v1/tenants/..%2Fa%20b%2F%C3%BC%3F%23"


def test_a_code_that_is_not_known_keeps_its_words():
    error = refusal_of(refusal("of-tomorrow", 409, detail="D", retry_after=3))
    assert error.code is Code.PLATFORM_REFUSED
    assert error.detail == "of-tomorrow: T. A. D"
    assert error.retry_after == timedelta(seconds=3)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=502, headers={"content-type": "text/html"}, body=b"<html>"),
        Answer(status=404, headers={}, body=b""),
        Answer(status=500, headers={"content-type": PROBLEM}, body=b"{"),
        Answer(status=500, headers={"content-type": PROBLEM}, body=b"[]"),
        Answer(status=500, headers={"content-type": PROBLEM}, body=b"{}"),
        Answer(status=200, headers={}, body=b'{"name": 5}'),
        Answer(status=200, headers={}, body=b"\xff"),
    ],
)
def test_what_is_no_platform_s_answer_is_said(answer):
    door, _, _ = asking(answer)
    with pytest.raises(HomeportError) as caught:
        door.get(Tenant, "tenants", "acme")
    assert caught.value.code is Code.PLATFORM_ABSENT


def test_every_document_of_a_refusal_is_understood(door):
    answer = door.ask("GET", "/nothing")
    assert Problem.model_validate_json(answer.body).code == refusal_of(answer).code


def test_a_wrong_field_is_named_before_anything_is_sent():
    with pytest.raises(MalformedError, match=r"name: .*use 1 to 40 of a-z"):
        document(NewTenant, name="Not A Name")


@pytest.fixture
def fleet(door):
    async def fill(tx):
        for number in range(5):
            await tx.devices.put(device(f"EX-{number}", tenant="acme"))
        await tx.devices.put(device("EX-0", OTHER_MAKER, tenant="bolt"))

    door.runner.run(door.registry.transact(fill))
    return door


def test_lists_are_read_to_their_end(fleet):
    devices = Platform(As(fleet)).devices
    pages = list(devices.pages(limit=4, search="EX-"))
    assert [len(page.items) for page in pages] == [4, 2]
    assert len(list(devices.all(tenant="acme"))) == 5
    assert list(devices.all(minted=True)) == []


def test_a_device_is_found_by_id_or_by_whole_serial_number(fleet):
    devices = Platform(As(fleet)).devices
    assert devices.find("EX-3").id == str(device_id("EX-3"))
    assert devices.find(str(device_id("EX-0"))).tenant == "acme"
    for text in ("EX-", "nothing", str(device_id("EX-9"))):
        with pytest.raises(HomeportError) as caught:
            devices.find(text)
        assert caught.value.code is Code.DEVICE_UNKNOWN
    with pytest.raises(HomeportError, match="several makers"):
        devices.find("EX-0")


def test_a_serial_number_that_looks_like_an_id_is_found(fleet):
    odd = f"{'c' * 16}-1"
    fleet.runner.run(fleet.registry.transact(lambda tx: tx.devices.put(device(odd))))
    assert Platform(As(fleet)).devices.find(odd).serial_number == odd


def test_the_caller_s_own_are_found_among_many(fleet):
    devices = Platform(As(fleet, member(Role.VIEWER, "bolt"))).devices
    assert devices.find("EX-0").tenant == "bolt"
