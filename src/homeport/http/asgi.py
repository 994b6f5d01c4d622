# SPDX-License-Identifier: Apache-2.0
"""The names of ASGI 3.0 (asgi.readthedocs.io, HTTP & WebSocket message format 2.3)."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

Header = tuple[bytes, bytes]
"""Name in lower case, value."""


async def respond(send: Send, status: int, headers: Iterable[Header], body: bytes) -> None:
    """Send a whole response; Content-Length is added."""
    length = (b"content-length", b"%d" % len(body))
    start = {"type": "http.response.start", "status": status, "headers": [*headers, length]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the value of a header, the first if there are several; `name` in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None
