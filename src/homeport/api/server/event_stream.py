# SPDX-License-Identifier: Apache-2.0
"""One stream of server-sent events (WHATWG HTML, section 9.2), from a cursor on, until it ends.

    id: 813                        the event's cursor: `Last-Event-ID` goes on there
    event: device:assigned
    data: {"cursor":813,…}

Who reads is asked about again before anything is said, and every few seconds: a stream whose reader
may see less, or more, than when it began ends with `event: end`. So do all when the platform ends
or renews its certificate, and each after an hour; a browser comes back by itself, without loss.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from starlette.responses import Response

from homeport.api.server.event_hub import PAGE, EventHub, Ticket
from homeport.api.server.gate import BODY_KEY
from homeport.clock import Clock
from homeport.domain.audit import AuditEvent, Wanted
from homeport.domain.people import Caller
from homeport.domain.trail.lines import document_of
from homeport.errors import HomeportError
from homeport.http.asgi import Receive, Scope, Send

HEARTBEAT: Final = timedelta(seconds=15)
"""Proxies close what says nothing for 30 to 60 seconds."""

ASK_AGAIN: Final = timedelta(seconds=5)
"""How long a stream without events may outlive its reader's session."""

LIFETIME: Final = timedelta(hours=1)
"""Then it ends: what leaks, leaks for an hour."""

RETRY: Final = b"retry: 2000\n\n"
"""Milliseconds after which a browser comes back."""

View = Callable[[], Awaitable[Wanted]]
"""What the reader may see now and wants to; HomeportError if nothing any more."""


async def lines(
    ticket: Ticket, clock: Clock, view: View, wanted: Wanted, cursor: int
) -> AsyncIterator[bytes]:
    """Yield the stream's text, an event, several, or a sign of life at a time."""
    began = said_at = asked_at = clock.monotonic()
    yield RETRY
    try:
        while not ticket.is_over and clock.monotonic() - began < LIFETIME.total_seconds():
            events, cursor = await ticket.hub.after(cursor, wanted)
            now = clock.monotonic()
            if events or now - asked_at >= ASK_AGAIN.total_seconds():
                # After the events were read: what happened since the reader lost a role is unsaid.
                if await view() != wanted:
                    yield _end("what you may see has changed")
                    return
                asked_at = now
            if events:
                yield b"".join(map(_written, events))
                said_at = now
            elif now - said_at >= HEARTBEAT.total_seconds():
                yield b": alive\nid: %d\n\n" % cursor
                said_at = now
            if len(events) < PAGE:
                await ticket.wait_beyond(cursor, ASK_AGAIN)
    except HomeportError as error:
        yield _end(error.code)
        return
    yield _end("come back")


class EventStreamResponse(Response):
    """Sends a stream until it ends, its reader goes away, or the platform ends."""

    media_type = "text/event-stream"
    charset = "utf-8"

    def __init__(
        self,
        *,
        hub: EventHub,
        caller: Caller,
        make: Callable[[Ticket], AsyncIterator[bytes]],
    ) -> None:
        """Take whose stream it is, and what makes its text."""
        # No proxy may collect what is to be seen at once (nginx reads this header).
        super().__init__(headers={"x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._hub, self._caller, self._make = hub, caller, make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # Past the gate, which waits for a body ten seconds at most: this waits for the end.
        raw: Receive = scope[BODY_KEY].receive if BODY_KEY in scope else receive
        with self._hub.stream(self._caller) as ticket:
            start = {"status": self.status_code, "headers": self.raw_headers}
            await send({"type": "http.response.start", **start})
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(self._write(ticket, send), name="event stream")
                watching = group.create_task(_until_gone(raw), name="event stream's reader")
                await asyncio.wait((writing, watching), return_when=asyncio.FIRST_COMPLETED)
                writing.cancel()
                watching.cancel()
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, ticket: Ticket, send: Send) -> None:
        with suppress(OSError):  # the reader went away
            async for text in self._make(ticket):
                await send({"type": "http.response.body", "body": text, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _written(event: AuditEvent) -> bytes:
    document = document_of(event) | {"story": event.story()}
    # JSON has no line breaks in it: one `data` line.
    data = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.cursor}\nevent: {event.name}\ndata: {data}\n\n".encode()


def _end(reason: str) -> bytes:
    return f"event: end\ndata: {json.dumps({'reason': reason})}\n\n".encode()
