# SPDX-License-Identifier: Apache-2.0
"""How much of a request is read, and for how long.

The web server closes connections whose *headers* do not come; a *body* may trickle in for ever,
one byte a minute, and holds a task and a socket all the while (slow-body attack). So every body is
read here, with a limit in bytes and a deadline for the whole of it.
"""

import asyncio
from datetime import timedelta
from typing import Final

from homeport.errors import Code, HomeportError, MalformedError
from homeport.http.asgi import Receive, Scope, header

BODY_DEADLINE: Final = timedelta(seconds=10)
"""32 kB take 9 s on GPRS at 30 kbit/s; docs/protocols/native.md section 3.3 promises this."""

RELEASE: Final = timedelta(milliseconds=250)
"""Between giving a body up and answering. granian drops the pending read in another thread; if the
answer overtakes it, the connection stays open for as long as its sender likes (seen with 2.8 in two
of three cases, never after 50 ms), and a few thousand of them shut everybody else out."""

_LENGTH_DIGITS: Final = 18
"""More digits than this are no length; `int` would take its time with a million of them."""


async def read_body(
    scope: Scope, receive: Receive, *, limit: int, deadline: timedelta = BODY_DEADLINE
) -> bytes:
    """Read the body, at most `limit` bytes.

    Raise TOO_LARGE (before reading, if Content-Length says so), TOO_SLOW, or MalformedError when
    the sender goes away before the end. After TOO_LARGE and TOO_SLOW the connection must close;
    `problem_of` says so to the other side.
    """
    announced = _announced(header(scope, b"content-length"), limit)
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            return await _read(receive, limit, announced)
    except TimeoutError:
        await asyncio.sleep(RELEASE.total_seconds())
        detail = f"no whole body in {deadline.total_seconds():g} s"
        raise HomeportError(Code.TOO_SLOW, detail) from None


async def _read(receive: Receive, limit: int, announced: int | None) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise MalformedError("the sender went away before the end of the body")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise HomeportError(Code.TOO_LARGE, f"more than {limit} bytes")
        # The web server keeps to Content-Length; its end of body comes with another message, which
        # would cost a third of a small request.
        if size == announced or not message.get("more_body", False):
            return chunk if not chunks else b"".join((*chunks, chunk))
        chunks.append(chunk)


def _announced(content_length: bytes | None, limit: int) -> int | None:
    if content_length is None:
        return None
    if not content_length.isdigit() or len(content_length) > _LENGTH_DIGITS:
        raise MalformedError("Content-Length is not a number")
    length = int(content_length)
    if length > limit:
        raise HomeportError(Code.TOO_LARGE, f"{length} of {limit} bytes")
    return length
