# SPDX-License-Identifier: Apache-2.0
"""A browser as far as the people's door notices: it keeps cookies and sends what browsers send."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, Final

from homeport.api import PREFIX
from homeport.api.client.transport import Answer, Request
from homeport.http.asgi import App, Message, Scope

HOST: Final = "platform.test:8443"
ORIGIN: Final = f"https://{HOST}"


@dataclass
class Browser:
    """One browser at one address; `page` is the origin of the page that sends."""

    app: App
    runner: asyncio.Runner
    address: str = "192.0.2.1"
    page: str | None = ORIGIN
    cookies: dict[str, str] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    """Whole Set-Cookie lines of the last answer, by name."""
    csrf: str | None = None

    def ask(
        self,
        method: str,
        path: str,
        said: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask below the prefix, as a page of `page` would."""
        sent = {"host": HOST, "user-agent": "Browser/1.0"}
        if self.page is not None and method != "GET":
            sent["origin"] = self.page
            sent["sec-fetch-site"] = "same-origin" if self.page == ORIGIN else "cross-site"
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.csrf is not None:
            sent["x-csrf-token"] = self.csrf
        body = b""
        if said is not None:
            body = json.dumps(said).encode()
            sent["content-type"] = "application/json"
        sent |= headers or {}
        request = Request(method=method, path=PREFIX + path, headers=sent, body=body)
        return self.runner.run(self._send(request))

    def sign_in(self, name: str, password: str) -> Answer:
        """Show name and password; keep what is needed for changes."""
        answer = self.ask("POST", "/session", {"name": name, "password": password})
        if answer.status == 201:
            self.csrf = json.loads(answer.body)["csrf_token"]
        return answer

    async def _send(self, request: Request) -> Answer:
        start: Message = {}
        parts: list[bytes] = []

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        async def receive() -> Message:
            return {"type": "http.request", "body": request.body, "more_body": False}

        await self.app(self._scope(request), receive, send)
        self._keep(start)
        headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(status=start["status"], headers=headers, body=b"".join(parts))

    def _scope(self, request: Request) -> Scope:
        path, _, query = request.path.partition("?")
        headers = [(n.encode(), v.encode("latin-1")) for n, v in request.headers.items()]
        return {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
            "method": request.method, "scheme": "https", "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "root_path": "", "headers": headers,
            "client": (self.address, 4711), "server": ("127.0.0.1", 8443),
        }  # fmt: skip

    def _keep(self, start: Message) -> None:
        lines = [value.decode() for name, value in start["headers"] if name == b"set-cookie"]
        self.given = {line.partition("=")[0]: line for line in lines}
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
