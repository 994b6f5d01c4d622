# SPDX-License-Identifier: Apache-2.0
"""How a request gets to the people's door and an answer back; over HTTPS it is `remote`."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote

from homeport.http.asgi import App, Message, Receive, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked."""

    method: str
    path: str
    """From the root, percent-encoded."""
    query: str = ""
    """Percent-encoded, as `urlencode` makes it."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes | Iterable[bytes] = b""
    """Whole, or piece by piece."""

    @property
    def target(self) -> str:
        """The path with its query."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Transport(Protocol):
    """A way to a people's door."""

    def send(self, request: Request) -> Answer:
        """Ask; HomeportError(PLATFORM_…) if no answer comes."""
        ...


class InProcess:
    """A people's door in this process, run in the event loop that it was made in."""

    def __init__(self, app: App, runner: asyncio.Runner) -> None:
        """Take the door, and the runner whose loop it belongs to."""
        self._app, self._runner = app, runner

    def send(self, request: Request) -> Answer:
        """Ask."""
        return self._runner.run(_ask(self._app, request))


async def _ask(app: App, request: Request) -> Answer:
    start: Message = {}
    parts: list[bytes] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    await app(_scope(request), _receiver(request.body), send)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(status=start["status"], headers=headers, body=b"".join(parts))


def _scope(request: Request) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": unquote(request.path),
        "raw_path": request.path.encode(),
        "query_string": request.query.encode(),
        "root_path": "",
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers.items()
        ],
        "client": None,
        "server": ("localhost", 443),
    }


def _receiver(body: bytes | Iterable[bytes]) -> Receive:
    pieces = iter((body,) if isinstance(body, bytes) else body)

    async def receive() -> Message:
        piece = next(pieces, None)
        if piece is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": piece, "more_body": True}

    return receive
