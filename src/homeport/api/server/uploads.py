# SPDX-License-Identifier: Apache-2.0
"""Files that people send: as they come, to a file without a name, so that memory stays small."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, BinaryIO, Final

from fastapi import Request

from homeport.api.server.ask import Ask
from homeport.api.server.gate import BODY_KEY, Body

_CHUNK: Final = 1024 * 1024
"""Bytes that are written at once, in a thread."""


def takes_file(media_type: str, what: str) -> dict[str, Any]:
    """Return what OpenAPI says of a body that is a file."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {"requestBody": {"required": True, "description": what, "content": content}}


@asynccontextmanager
async def uploaded(ask: Ask, request: Request, limit: int | None = None) -> AsyncIterator[BinaryIO]:
    """Take the body as a file, at its beginning; demand the permission first (TOO_LARGE, TOO_SLOW).

    It has no name and is gone with the request, also when the platform is killed meanwhile.
    """
    ask.registry()  # refuses if the permission was not demanded
    body: Body = request.scope[BODY_KEY]
    body.allow_upload(limit)
    with tempfile.TemporaryFile(dir=ask.parts.uploads) as file:
        pending = bytearray()
        async for piece in request.stream():
            pending += piece
            if len(pending) >= _CHUNK:
                await asyncio.to_thread(file.write, pending)
                pending = bytearray()
        await asyncio.to_thread(file.write, pending)
        file.seek(0)
        yield file
