# SPDX-License-Identifier: Apache-2.0
"""Before any resource is looked at: how fast, how much, how slow; and headers on every answer.

A body is read only as a resource asks for it, through the limits of this file. What is small comes
whole within ten seconds; a resource that takes a file lifts the limit for its request
(`Body.allow_upload`), and then no piece may take longer than that.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from homeport.api.server.parts import Parts
from homeport.errors import Code, HomeportError
from homeport.http.asgi import App, Header, Message, Receive, Scope, Send, header
from homeport.http.limits import BODY_DEADLINE, RELEASE
from homeport.http.source import peer_address, source_of

DOCUMENT_MAX: Final = 256 * 1024
"""Bytes of a JSON document; the largest is a list of some thousand sales records."""

UPLOAD_MAX: Final = 4 * 1024**3
"""Bytes of a file; a manifest of a million devices has one."""

SECURITY_HEADERS: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
"""An answer is data: never a page, never in a frame, never kept by anybody in between."""

_LENGTH_DIGITS: Final = 18

BODY_KEY: Final = "homeport.body"


@dataclass(slots=True)
class Body:
    """The body of one request, and how much of it may still come."""

    receive: Receive
    announced: int
    """What Content-Length says; 0 where it says nothing that can be read."""
    ends_at: float
    """In the event loop's time."""
    limit: int = DOCUMENT_MAX
    is_upload: bool = False
    size: int = field(default=0, init=False)

    def allow_upload(self, limit: int | None = None) -> None:
        """Let a file come, piece by piece, of so many bytes at most; None: UPLOAD_MAX."""
        self.limit, self.is_upload = UPLOAD_MAX if limit is None else limit, True

    async def next_message(self) -> Message:
        """Receive the next piece; TOO_LARGE, TOO_SLOW."""
        if self.announced > self.limit:
            raise HomeportError(Code.TOO_LARGE, f"{self.announced} of {self.limit} bytes")
        message = await self._in_time()
        self.size += len(message.get("body", b""))
        if self.size > self.limit:
            raise HomeportError(Code.TOO_LARGE, f"more than {self.limit} bytes")
        return message

    async def _in_time(self) -> Message:
        ends_at = self.ends_at
        if self.is_upload:
            ends_at = asyncio.get_running_loop().time() + BODY_DEADLINE.total_seconds()
        try:
            async with asyncio.timeout_at(ends_at):
                return await self.receive()
        except TimeoutError:
            await asyncio.sleep(RELEASE.total_seconds())
            raise HomeportError(Code.TOO_SLOW, "the body does not come") from None


class Gate:
    """An ASGI application around another one."""

    def __init__(self, app: App, parts: Parts) -> None:
        """Take what is behind the gate."""
        self._app, self._parts = app, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._parts.sources is not None:
            self._parts.sources.take(source_of(peer_address(scope, self._parts.proxies)))
        ends_at = asyncio.get_running_loop().time() + BODY_DEADLINE.total_seconds()
        body = scope[BODY_KEY] = Body(receive, _announced(scope), ends_at)
        await self._app(scope, body.next_message, send)


def _announced(scope: Scope) -> int:
    text = header(scope, b"content-length") or b"0"
    # The web server has checked it. More digits are no length, and `int` would take its time.
    return int(text) if text.isdigit() and len(text) <= _LENGTH_DIGITS else 0


def with_security_headers(app: App) -> App:
    """Add the headers to every answer that does not set them itself."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                more = [each for each in SECURITY_HEADERS if each[0] not in present]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await app(scope, receive, adding)

    return guarded
