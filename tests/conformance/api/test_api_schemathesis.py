# SPDX-License-Identifier: Apache-2.0
"""What the OpenAPI document promises is what is answered: schemathesis tries to disprove it.

It makes requests of every operation from the document, good ones and bad ones, at the edges and at
random (the same in every run), and checks each answer: no 5xx; status, media type, headers and body
as the document names them; bad data refused; a wrong method answered with Allow.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from fakes.people_door import CALLER_HEADER, OPERATOR, PeopleDoor
from homeport.api.client.transport import InProcess, Request
from homeport.api.server.app import describe
from homeport.storage.sqlite import SqliteRegistry
from unit.api.samples import SAMPLES
from unit.api.samples.devices import fill
from unit.api.samples.sample import Sample

EXAMPLES = 25
"""Random requests for each operation, besides some hundred at the edges."""

ELSEWHERE = {
    # Text may be refused for what no schema says: that a character does not print, a cursor is old.
    "positive_data_acceptance",
    # They ask again by themselves, over a network; test_api_walk tries every operation.
    "ignored_auth",
    "object_level_authorization",
    # For chains of requests, which are not made here.
    "use_after_free",
    "ensure_resource_availability",
}

checks: list[Any] = [
    CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in ELSEWHERE
]
schema = schemathesis.openapi.from_dict(describe(), config=SchemathesisConfig(seed=1))


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeopleDoor]:
    path = tmp_path_factory.mktemp("api") / "registry.sqlite"
    with asyncio.Runner() as runner:
        registry = runner.run(SqliteRegistry(path).__aenter__())
        runner.run(registry.transact(fill))
        door = PeopleDoor(registry, runner)
        door.people.callers[OPERATOR.actor] = OPERATOR
        yield door
        runner.run(registry.close())


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    suppress_health_check=list(HealthCheck),
)
def test_the_document_holds(door: PeopleDoor, case: schemathesis.Case[Any]) -> None:
    aim(case)
    arguments = case.as_transport_kwargs(base_url="https://localhost")
    arguments["headers"] = {**arguments.get("headers", {}), CALLER_HEADER: OPERATOR.actor}
    for unused in ("cookies", "verify"):
        arguments.pop(unused, None)
    prepared = requests.Request(**arguments).prepare()
    case.validate_response(answered(door, prepared), checks=checks)


def aim(case: schemathesis.Case[Any]) -> None:
    """Name a thing that is there, where anything would do: else all answers were NOT_FOUND."""
    sample = SAMPLES.get(case.operation.definition.raw["operationId"], Sample())
    good = case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE
    if good and case.path_parameters:
        case.path_parameters = {**case.path_parameters, **sample.path}


def answered(door: PeopleDoor, sent: requests.PreparedRequest) -> schemathesis.Response:
    path, _, query = (sent.path_url or "/").partition("?")
    body = sent.body or b""
    request = Request(
        method=sent.method or "GET",
        path=path,
        query=query,
        headers={name.lower(): str(value) for name, value in sent.headers.items()},
        body=body if isinstance(body, bytes) else str(body).encode(),
    )
    answer = InProcess(door.app, door.runner).send(request)
    return schemathesis.Response(
        status_code=answer.status,
        headers={name: [value] for name, value in answer.headers.items()},
        content=answer.body,
        request=sent,
        elapsed=0.01,
        verify=False,
    )
