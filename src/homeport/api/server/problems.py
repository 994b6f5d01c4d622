# SPDX-License-Identifier: Apache-2.0
"""Refusals at the people's door: also those of the framework become problem documents."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as AnyHTTPException

from homeport.api.wire.model import Problem, fault_of
from homeport.errors import Code, HomeportError, MalformedError
from homeport.http.problem import MEDIA_TYPE, PEOPLE, problem_of

FAULTS_TOLD: Final = 5
"""Fields that one answer names; who sends more wrong ones sees the rest next time."""

_CODE_OF_STATUS: Final = {404: Code.NOT_FOUND, 405: Code.METHOD_WRONG}

ALWAYS: Final = (400, 401, 403, 404, 413, 408, 429, 500, 503)
"""How any request may be refused."""


def add_to(app: FastAPI) -> None:
    """Have the framework's own refusals answered as ours."""
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(AnyHTTPException, _on_http)


def responses(*more: int) -> dict[int | str, dict[str, Any]]:
    """Return the refusals of a route: those that are always possible, and these."""
    return {status: {"description": MEANING[status]} for status in sorted((*ALWAYS, *more))}


def components() -> dict[str, Any]:
    """Return the refusals for OpenAPI, each said once."""
    content = {MEDIA_TYPE.decode(): {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        f"Refused{status}": {"description": meaning, "content": content}
        for status, meaning in MEANING.items()
    }


def refer(said: dict[str, Any]) -> None:
    """Point from an operation's responses to `components`; drop what the framework made up."""
    for status in list(said):
        if said[status]["description"] == "Validation Error":
            del said[status]
        elif said[status]["description"] == MEANING.get(int(status)):
            said[status] = {"$ref": f"#/components/responses/Refused{status}"}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a problem document."""
    return Problem.model_json_schema()


MEANING: Final = {
    400: "The request cannot be read; `detail` names the field.",
    401: "Nobody is signed in.",
    403: "The role does not allow it.",
    404: "There is no such thing, or it is not yours.",
    405: "Not by this method.",
    408: "The body did not come in time.",
    409: "It does not fit what is there.",
    412: "It was changed meanwhile.",
    413: "The body is too large.",
    422: "The content could not be shown to be true.",
    429: "Too fast.",
    500: "A fault of the platform.",
    503: "Not now.",
}


async def _on_validation(_request: Request, error: Exception) -> Response:
    faults: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else ()
    told = "; ".join(fault_of(fault) for fault in faults[:FAULTS_TOLD])
    more = f"; and {len(faults) - FAULTS_TOLD} more" if len(faults) > FAULTS_TOLD else ""
    raise MalformedError(told + more)


async def _on_http(_request: Request, error: Exception) -> Response:
    # The framework hides a failure while it read the body behind one of its own.
    if isinstance(error.__cause__, HomeportError):
        raise error.__cause__
    if not isinstance(error, AnyHTTPException):
        raise error
    code = _CODE_OF_STATUS.get(error.status_code, Code.MALFORMED)
    problem = problem_of(HomeportError(code, str(error.detail)), PEOPLE)
    headers = {name.decode(): value.decode() for name, value in problem.headers}
    return Response(problem.body, problem.status, headers | dict(error.headers or {}))
