# SPDX-License-Identifier: Apache-2.0
"""Refusals as problem documents (RFC 9457), the same at every door, each in its dialect.

A device is told less than is logged: code, title and advice of the catalogue, never the detail,
which may name files, other devices or what exactly a forger got wrong. People, who have shown who
they are, are told the detail too.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from homeport.errors import CATALOGUE, Code, HomeportError, Kind
from homeport.http.asgi import App, Header, Message, Receive, Scope, Send, respond
from homeport.telemetry import visible

MEDIA_TYPE: Final = b"application/problem+json"

TYPE_PREFIX: Final = "urn:homeport:error:"
"""Before the code; RFC 9457 section 3.1.1 wants a URI, and no host of ours is in every network."""

_STATUS_OF_KIND: Final = {
    Kind.MALFORMED: 400,
    Kind.UNPROVEN: 401,
    Kind.REFUSED: 403,
    Kind.UNKNOWN: 404,
    Kind.CONFLICT: 409,
    Kind.THROTTLED: 429,
    Kind.UNAVAILABLE: 503,
}
_STATUS_OF_CODE: Final = {
    Code.TOO_LARGE: 413,
    Code.TOO_SLOW: 408,
    Code.METHOD_WRONG: 405,
    Code.CHANGED_MEANWHILE: 412,
    Code.INTERNAL_ERROR: 500,
}
"""Codes for which HTTP has a narrower status than for their kind."""

_BODY_UNREAD: Final = frozenset({Code.TOO_LARGE, Code.TOO_SLOW})
"""After these the rest of the request is still to come, so the connection cannot be used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a door tells failures."""

    challenge: bytes
    """RFC 9110 section 15.5.2: a 401 names a scheme."""
    tells_detail: bool
    unproven: int = 401
    """Status for what could not be shown to be true."""
    unsigned: frozenset[Code] = frozenset()
    """Codes that are a 401 all the same: nobody knows who asks."""

    def status(self, code: Code) -> int:
        """Return the HTTP status for a failure."""
        kind = CATALOGUE[code].kind
        if kind is Kind.UNPROVEN and code not in self.unsigned:
            return self.unproven
        return _STATUS_OF_CODE.get(code) or _STATUS_OF_KIND[kind]


DEVICES: Final = Dialect(challenge=b"Homeport-JWS", tells_detail=False)
"""A device's proof of who it is is its signed body, not a header."""

PEOPLE: Final = Dialect(
    challenge=b'Bearer realm="homeport"',
    tells_detail=True,
    unproven=422,
    unsigned=frozenset({Code.SIGN_IN_NEEDED, Code.SIGN_IN_REFUSED}),
)
"""A manifest that is not proven is wrong content; 401 would make a browser sign in again."""


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
    detail: str = ""
    retry_after: int | None = None


_ENCODER: Final = msgspec.json.Encoder()


def status_of(code: Code) -> int:
    """Return the HTTP status for a failure at the device's door."""
    return DEVICES.status(code)


def problem_of(error: HomeportError, dialect: Dialect = DEVICES) -> Problem:
    """Turn a failure into what its sender is told."""
    status = dialect.status(error.code)
    headers = [(b"content-type", MEDIA_TYPE), (b"cache-control", b"no-store")]
    if status == 401:  # noqa: PLR2004
        headers.append((b"www-authenticate", dialect.challenge))
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
        detail=visible(error.detail) if dialect.tells_detail else "",
        retry_after=seconds,
    )
    return Problem(status, tuple(headers), _ENCODER.encode(document))


async def send_problem(send: Send, error: HomeportError, dialect: Dialect = DEVICES) -> None:
    """Answer a request with a problem document."""
    await respond(send, *problem_of(error, dialect))


def with_problems(
    app: App,
    on_error: Callable[[Scope, Exception], Awaitable[None] | None],
    dialect: Dialect = DEVICES,
) -> App:
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
            await send_problem(send, _public(error), dialect)

    return guarded


def _public(error: Exception) -> HomeportError:
    return error if isinstance(error, HomeportError) else HomeportError(Code.INTERNAL_ERROR)
