# SPDX-License-Identifier: Apache-2.0
"""The operations door: is it alive, is it ready, what does it count. Plain HTTP, kept inside.

`/healthz` says that the process answers; `/readyz` that registry and broker do (503 and the names
of those that do not); `/metrics` is Prometheus text; `/crl` is the revocation list in DER.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from homeport.errors import Code, HomeportError
from homeport.http.asgi import Receive, Scope, Send, respond

CHECK_DEADLINE: Final = timedelta(seconds=2)
"""Load balancers ask every few seconds and give up after five."""

Check = Callable[[], Awaitable[bool]]


class OperationsDoor:
    """An ASGI application with four paths."""

    def __init__(self, checks: Mapping[str, Check], crl: Callable[[], Awaitable[bytes]]) -> None:
        """Take what must answer for readiness, and who makes the revocation list."""
        self._checks = checks
        self._crl = crl

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        match scope["path"]:
            case "/healthz":
                await respond(send, 200, [(b"content-type", b"text/plain")], b"alive\n")
            case "/readyz":
                failed = [name for name in self._checks if not await self._holds(name)]
                body = json.dumps({"ready": not failed, "failed": failed}).encode()
                status = 503 if failed else 200
                await respond(send, status, [(b"content-type", b"application/json")], body)
            case "/metrics":
                text = [(b"content-type", CONTENT_TYPE_LATEST.encode())]
                await respond(send, 200, text, generate_latest())
            case "/crl":
                media_type = [(b"content-type", b"application/pkix-crl")]
                await respond(send, 200, media_type, await self._crl())
            case path:
                raise HomeportError(Code.NOT_FOUND, path[:100])

    async def _holds(self, name: str) -> bool:
        try:
            async with asyncio.timeout(CHECK_DEADLINE.total_seconds()):
                return await self._checks[name]()
        except (HomeportError, TimeoutError):
            return False
