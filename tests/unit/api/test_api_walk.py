# SPDX-License-Identifier: Apache-2.0
"""Walk the whole OpenAPI document with credentials that must get nothing: and they do not.

Another tenant's admin, lesser roles, API keys without the scope, and nobody at all ask for every
operation, as its rightful caller would. They are told 401, 403 or 404, nothing is changed, and no
answer holds a word of the tenant that it is about.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fakes.people_door import OPERATOR, PeopleDoor, document, member
from fakes.registry import FakeRegistry
from homeport.api import PREFIX
from homeport.api.client.transport import Answer
from homeport.api.server.app import describe
from homeport.api.server.ask import NOBODY, PERMISSION_KEY, SIGNED_IN
from homeport.domain.people import PERMISSIONS, Caller, Permission, Role
from unit.api.samples import SAMPLES
from unit.api.samples.devices import fill

FOREIGN = member(Role.ADMIN, "bolt")
NEMO = Caller(actor="nemo", account="77")


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    name: str
    method: str
    path: str
    permission: str


def operations() -> list[Operation]:
    return [
        Operation(
            operation["operationId"],
            method.upper(),
            path.removeprefix(PREFIX),
            operation[PERMISSION_KEY],
        )
        for path, methods in describe()["paths"].items()
        for method, operation in methods.items()
    ]


ALL = operations()
GUARDED = [each for each in ALL if each.permission not in (SIGNED_IN, NOBODY)]


def ids(operation: Any) -> str:
    return operation.name if isinstance(operation, Operation) else str(operation)


@pytest.fixture
def acme() -> Iterator[PeopleDoor]:
    with asyncio.Runner() as runner:
        door = PeopleDoor(FakeRegistry(), runner)
        runner.run(door.registry.transact(fill))
        yield door


def prepare(door: PeopleDoor, operation: Operation) -> None:
    given = SAMPLES[operation.name].given
    if given is not None:
        door.runner.run(door.registry.transact(given))


def send(door: PeopleDoor, operation: Operation, caller: Caller | None) -> Answer:
    sample = SAMPLES[operation.name]
    return door.ask(
        operation.method,
        operation.path.format_map(sample.path),
        caller,
        said=sample.said,
        query=sample.query,
        headers=sample.headers,
        body=sample.body,
    )


def kept(door: PeopleDoor) -> Any:
    """All that is in the registry, but for the trail: an attempt may be recorded."""
    assert isinstance(door.registry, FakeRegistry)
    return replace(door.registry.rows, audit=[])


def gets_nothing(door: PeopleDoor, operation: Operation, caller: Caller | None) -> None:
    sample = SAMPLES[operation.name]
    prepare(door, operation)
    before = kept(door)
    answer = send(door, operation, caller)
    assert kept(door) == before, "nothing was changed"
    if 200 <= answer.status < 300:
        # A list, or about oneself: there may be one, but not a word of acme.
        assert not sample.path
        assert operation.method == "GET"
    else:
        assert answer.status in (401, 403, 404), answer.body
    said = b"".join(value.encode() for value in (*sample.path.values(), *sample.query.values()))
    words = set(re.findall(rb"acme[\w-]*", answer.body, re.IGNORECASE))
    assert not [word for word in words if word not in said], answer.body


def test_every_operation_has_a_sample():
    assert {each.name for each in ALL} == set(SAMPLES)


@pytest.mark.parametrize("operation", ALL, ids=ids)
def test_its_rightful_caller_is_granted_it(acme, operation):
    """Else a refusal of the others would prove nothing."""
    sample = SAMPLES[operation.name]
    prepare(acme, operation)
    answer = send(acme, operation, sample.caller)
    assert answer.status == sample.status, answer.body
    if sample.caller is not OPERATOR and operation in GUARDED:
        role = next(iter(sample.caller.roles.values()))
        lesser = [each for each in Role if operation.permission in PERMISSIONS[each]]
        assert role is lesser[0], "the least role that may"


@pytest.mark.parametrize("operation", [each for each in ALL if each.permission != NOBODY], ids=ids)
def test_nobody_gets_nothing(acme, operation):
    gets_nothing(acme, operation, None)
    assert send(acme, operation, None).status == 401


@pytest.mark.parametrize(
    "operation", [each for each in ALL if not SAMPLES[each.name].anybody_may], ids=ids
)
@pytest.mark.parametrize("caller", [FOREIGN, NEMO], ids=["foreign", "nemo"])
def test_a_stranger_gets_nothing(acme, operation, caller):
    gets_nothing(acme, operation, caller)


LESSER = [
    (operation, role)
    for operation in GUARDED
    for role in Role
    if operation.permission not in PERMISSIONS[role]
]


@pytest.mark.parametrize(("operation", "role"), LESSER, ids=ids)
def test_a_lesser_role_gets_nothing(acme, operation, role):
    prepare(acme, operation)
    before = kept(acme)
    answer = send(acme, operation, member(role))
    assert answer.status in (403, 404), answer.body
    assert kept(acme) == before


@pytest.mark.parametrize("operation", GUARDED, ids=ids)
@pytest.mark.parametrize("is_operator", [False, True])
def test_a_key_without_the_scope_gets_nothing(acme, operation, is_operator):
    scopes = frozenset(Permission) - {Permission(operation.permission)}
    rightful = SAMPLES[operation.name].caller
    prepare(acme, operation)
    key = replace(rightful, actor="key x", scopes=scopes, is_operator=is_operator)
    answer = send(acme, operation, key)
    assert answer.status in (403, 404), answer.body
    assert document(answer)["code"] in ("role-insufficient", "not-found")
