# SPDX-License-Identifier: Apache-2.0
"""`/events`: what happens, as it happens (server-sent events)."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request

from homeport.api.server.ask import Asked, needs
from homeport.api.server.event_stream import EventStreamResponse, lines
from homeport.api.server.paging import CURSOR_MAX
from homeport.api.server.resources.trail.asked import Filtered, cursor_of
from homeport.domain.audit import Wanted
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError

router: Final = APIRouter(prefix="/events", tags=["events"])


@router.get(
    "", status_code=200, response_class=EventStreamResponse, **needs(Permission.DEVICES_READ)
)
async def follow_events(
    request: Request,
    asking: Filtered,
    ask: Asked,
    after: Annotated[
        str | None, Query(max_length=CURSOR_MAX, description="Cursor to go on from; else now.")
    ] = None,
    last_event_id: Annotated[
        str | None, Header(max_length=CURSOR_MAX, description="What a browser saw last.")
    ] = None,
) -> EventStreamResponse:
    """Follow what happens; `event` is the name, `data` an event of the audit trail."""
    ask.tenants()
    wanted = asking.view(ask.caller, permission=Permission.DEVICES_READ)
    hub, authenticator = ask.parts.events, ask.parts.authenticator
    if hub is None:
        raise HomeportError(Code.NOT_FOUND, "events are told by a platform that runs")

    async def view() -> Wanted:
        caller = await authenticator.still(request)
        return asking.view(caller, permission=Permission.DEVICES_READ)

    # A browser that comes back says what it saw last, and repeats the address that it began with.
    seen = cursor_of(last_event_id or after)
    last = await hub.last()
    cursor = last if seen is None else min(seen, last)
    clock = ask.parts.clock
    return EventStreamResponse(
        hub=hub,
        caller=ask.caller,
        make=lambda ticket: lines(ticket, clock, view, wanted, cursor),
    )
