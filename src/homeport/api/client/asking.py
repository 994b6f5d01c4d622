# SPDX-License-Identifier: Apache-2.0
"""Ask and understand the answer: documents become models, refusals errors of the catalogue.

What can be repeated without harm is repeated when no answer came: reading, and a POST, because each
carries an Idempotency-Key of its own.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from threading import Event
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ValidationError

from homeport.api import PREFIX
from homeport.api.client.transport import Answer, Request, Transport
from homeport.api.wire.model import Page, fault_of
from homeport.errors import Code, HomeportError, MalformedError
from homeport.http.problem import MEDIA_TYPE

Model = TypeVar("Model", bound=BaseModel)

PAUSES: Final = (timedelta(seconds=0.5), timedelta(seconds=2), timedelta(seconds=5))
"""Before each repetition; a platform that is started anew answers again within them."""

_PASSING: Final = frozenset(
    {Code.PLATFORM_UNREACHABLE, Code.STORAGE_UNAVAILABLE, Code.TOO_MANY_REQUESTS}
)
"""What may be over in a moment."""

_WAIT: Final = Event().wait

_JSON: Final = "application/json"


class Asking:
    """A people's door, as whoever the transport shows."""

    def __init__(self, transport: Transport, pause: Callable[[float], object] = _WAIT) -> None:
        """Take the way to it; `pause` waits for some seconds."""
        self._transport, self._pause = transport, pause

    def get(
        self, kind: type[Model], *path: str, query: Mapping[str, object] | None = None
    ) -> Model:
        """Read one document."""
        return self._ask(kind, "GET", path, query=query)

    def pages(
        self,
        kind: type[Model],
        *path: str,
        query: Mapping[str, object] | None = None,
        after: str | None = None,
    ) -> Iterator[Page[Model]]:
        """Read a list page by page, from the cursor to its end."""
        while True:
            asked = {**(query or {}), "after": after}
            page = self._ask(Page[kind], "GET", path, query=asked)  # type: ignore[valid-type]
            yield page
            after = page.next
            if after is None:
                return

    def post(
        self, kind: type[Model], *path: str, said: BaseModel | None = None, if_match: str = ""
    ) -> Model:
        """Do something once; with `if_match` only if nothing was changed meanwhile."""
        headers = {"idempotency-key": uuid.uuid4().hex}
        if if_match:
            headers["if-match"] = if_match
        body = said.model_dump_json(exclude_unset=True).encode() if said is not None else b""
        return self._ask(kind, "POST", path, body=body, headers=headers)

    def delete(self, kind: type[Model], *path: str) -> Model:
        """Take something away; what is gone stays gone, however often it is asked."""
        return self._ask(kind, "DELETE", path)

    def change(self, kind: type[Model], method: str, *path: str, said: Mapping[str, Any]) -> Model:
        """Put or patch something: what may be done twice without harm."""
        try:
            body = json.dumps(said, allow_nan=False).encode()
        except ValueError as error:
            raise MalformedError(f"not JSON: {error}"[:200]) from None
        return self._ask(kind, method, path, body=body)

    def end(self, *path: str) -> None:
        """End something; there is nothing to read then."""
        answer = self._transport.send(_request("DELETE", path, None, {"accept": _JSON}, b""))
        if not _is_good(answer):
            raise refusal_of(answer)

    def send(
        self,
        kind: type[Model],
        *path: str,
        body: bytes | Iterable[bytes],
        media_type: str,
        query: Mapping[str, object] | None = None,
    ) -> Model:
        """Send a file; it is not repeated."""
        request = _request("POST", path, query, {"content-type": media_type}, body)
        return _understood(kind, self._transport.send(request))

    def _ask(
        self,
        kind: type[Model],
        method: str,
        path: Iterable[str],
        *,
        query: Mapping[str, object] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Model:
        sent = {**(headers or {}), "accept": _JSON}
        if body:
            sent["content-type"] = _JSON
        request = _request(method, path, query, sent, body)
        for pause in PAUSES:
            try:
                return _understood(kind, self._transport.send(request))
            except HomeportError as error:
                if error.code not in _PASSING:
                    raise
                self._pause((error.retry_after or pause).total_seconds())
        return _understood(kind, self._transport.send(request))


def document(kind: type[Model], **fields: object) -> Model:
    """Make a document to send; MalformedError names the field that is wrong."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise MalformedError("; ".join(map(fault_of, error.errors()))) from None


def _request(
    method: str,
    path: Iterable[str],
    query: Mapping[str, object] | None,
    headers: Mapping[str, str],
    body: bytes | Iterable[bytes],
) -> Request:
    steps = "/".join(quote(step, safe="") for step in path)
    asked = {name: _text(value) for name, value in (query or {}).items() if value is not None}
    return Request(
        method=method,
        path=f"{PREFIX}/{steps}",
        query=urlencode(asked),
        headers=headers,
        body=body,
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _understood(kind: type[Model], answer: Answer) -> Model:
    if not _is_good(answer):
        raise refusal_of(answer)
    try:
        return kind.model_validate_json(answer.body)
    except ValidationError as error:
        detail = f"this program and the platform differ in version: {error}"
        raise HomeportError(Code.PLATFORM_ABSENT, detail) from None


def _is_good(answer: Answer) -> bool:
    return 200 <= answer.status < 300  # noqa: PLR2004


def refusal_of(answer: Answer) -> HomeportError:
    """Return the error that a problem document tells of."""
    if answer.headers.get("content-type") != MEDIA_TYPE.decode():
        detail = f"status {answer.status} without a problem document"
        return HomeportError(Code.PLATFORM_ABSENT, detail)
    try:
        problem = json.loads(answer.body)
        said, detail = str(problem["code"]), str(problem.get("detail", ""))
        seconds = problem.get("retry_after")
        wait = None if seconds is None else timedelta(seconds=float(seconds))
    except (ValueError, KeyError, TypeError):
        return HomeportError(Code.PLATFORM_ABSENT, "a problem document that cannot be read")
    try:
        return HomeportError(Code(said), detail, retry_after=wait)
    except ValueError:  # a newer platform
        told = f"{said}: {problem.get('title', '')} {problem.get('advice', '')} {detail}"
        return HomeportError(Code.PLATFORM_REFUSED, told.strip(), retry_after=wait)
