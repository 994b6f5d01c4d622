# SPDX-License-Identifier: Apache-2.0
"""Refusals as problem documents (RFC 9457), the same at every door.

A sender is told less than is logged: code, title and advice of the catalogue, never the detail,
which may name files, other devices or what exactly a forger got wrong.
"""

import math
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import msgspec

from homeport.errors import CATALOGUE, Code, HomeportError, Kind
from homeport.http.asgi import App, Header, Message, Receive, Scope, Send, respond

MEDIA_TYPE: Final = b"application/problem+json"

TYPE_PREFIX: Final = "urn:homeport:error:"
"""Before the code; RFC 9457 section 3.1.1 wants a URI, and no host of ours is in every network."""

CHALLENGE: Final = b"Homeport-JWS"
"""RFC 9110 section 15.5.2: a 401 names a scheme. Ours is a signed body, not a header."""

_STATUS_OF_KIND: Final = {
    Kind.MALFORMED: 400,
    Kind.UNPROVEN: 401,
    Kind.REFUSED: 403,
    Kind.UNKNOWN: 404,
    Kind.CONFLICT: 409,
    Kind.THROTTLED: 429,
    Kind.UNAVAILABLE: 503,
}
_STATUS_OF_CODE: Final = {Code.TOO_LARGE: 413, Code.TOO_SLOW: 408, Code.INTERNAL_ERROR: 500}
"""Codes for which HTTP has a narrower status than for their kind."""

_BODY_UNREAD: Final = frozenset({Code.TOO_LARGE, Code.TOO_SLOW})
"""After these the rest of the request is still to come, so the connection cannot be used again."""


class Problem(NamedTuple):
    """A problem document, ready to send."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


class _Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    type: str
    title: str
    status: int
    code: str
    advice: str
    retry_after: int | None = None


_ENCODER: Final = msgspec.json.Encoder()


def status_of(code: Code) -> int:
    """Return the HTTP status for a failure."""
    return _STATUS_OF_CODE.get(code) or _STATUS_OF_KIND[CATALOGUE[code].kind]


def problem_of(error: HomeportError) -> Problem:
    """Turn a failure into what its sender is told."""
    status = status_of(error.code)
    headers = [(b"content-type", MEDIA_TYPE), (b"cache-control", b"no-store")]
    if status == 401:  # noqa: PLR2004
        headers.append((b"www-authenticate", CHALLENGE))
    if error.code in _BODY_UNREAD:
        headers.append((b"connection", b"close"))
    seconds = None
    if error.retry_after is not None:
        # Rounded up: who comes back a moment too early is refused again.
        seconds = max(1, math.ceil(error.retry_after.total_seconds()))
        headers.append((b"retry-after", b"%d" % seconds))
    document = _Document(
        type=TYPE_PREFIX + error.code,
        title=error.title,
        status=status,
        code=error.code,
        advice=error.advice,
        retry_after=seconds,
    )
    return Problem(status, tuple(headers), _ENCODER.encode(document))


async def send_problem(send: Send, error: HomeportError) -> None:
    """Answer a request with a problem document."""
    await respond(send, *problem_of(error))


def with_problems(app: App, on_error: Callable[[Scope, Exception], Awaitable[None] | None]) -> App:
    """Answer whatever the app raises with a problem document, after `on_error` has noted it.

    A failure after the response has begun is only noted: the connection then ends early, which
    tells the other side that something is missing.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, noting_send)
        except Exception as error:
            noted = on_error(scope, error)
            if noted is not None:
                await noted
            if begun:
                raise
            await send_problem(send, _public(error))

    return guarded


def _public(error: Exception) -> HomeportError:
    return error if isinstance(error, HomeportError) else HomeportError(Code.INTERNAL_ERROR)
