# SPDX-License-Identifier: Apache-2.0
"""`/audit`: what happened, and the signed heads that show that nobody changed it."""

import json
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from homeport.api.server.ask import Asked, needs
from homeport.api.server.paging import Paged, page_of
from homeport.api.server.resources.trail.asked import Filtered, cursor_of
from homeport.api.wire.events import Event, Head
from homeport.api.wire.model import Page
from homeport.artefacts.audit_head import peek_head
from homeport.domain.audit import AuditEvent
from homeport.domain.people import Permission
from homeport.http.asgi import Receive, Scope, Send
from homeport.provisioning.audit.export import export_trail, export_view
from homeport.provisioning.ports import SealedHead, Transaction

router: Final = APIRouter(prefix="/audit", tags=["audit"])


class Order(StrEnum):
    """Which end comes first."""

    OLDEST = "oldest"
    NEWEST = "newest"


class ExportResponse(StreamingResponse):
    """Lines of JSON."""

    media_type = "application/jsonl"

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send to the end; a reader who goes away is an error of `send`.

        The framework would wait at the request's body meanwhile, whose limits are the gate's.
        """
        with suppress(OSError):
            await self.stream_response(send)


@router.get("/events", **needs(Permission.AUDIT_READ))
async def list_events(
    asking: Filtered,
    span: Paged,
    ask: Asked,
    order: Annotated[Order, Query(description="Which end comes first.")] = Order.OLDEST,
) -> Page[Event]:
    """List what happened, in order."""
    ask.tenants()
    wanted = asking.view(ask.caller, permission=Permission.AUDIT_READ)
    after = cursor_of(span.after)

    async def verb(tx: Transaction) -> Sequence[AuditEvent]:
        newest = order is Order.NEWEST
        return await tx.audit.search(wanted, after=after, limit=span.fetch, newest_first=newest)

    return page_of(await ask.read(verb), span, Event.of, lambda event: str(event.cursor))


@router.get("/export", response_class=ExportResponse, **needs(Permission.AUDIT_READ))
async def export_events(asking: Filtered, ask: Asked) -> ExportResponse:
    """Export what happened as lines of JSON; the operator's, unfiltered, has heads in it."""
    ask.tenants()
    wanted = asking.view(ask.caller, permission=Permission.AUDIT_READ)
    whole = wanted == type(wanted)()
    registry = ask.registry()
    return ExportResponse(export_trail(registry) if whole else export_view(registry, wanted))


@router.get("/heads", **needs(Permission.AUDIT_READ))
async def list_heads(span: Paged, ask: Asked) -> Page[Head]:
    """List the signed heads of the audit trail's hash chain: keep them elsewhere."""
    ask.demand(None, "heads of the audit trail")
    after = cursor_of(span.after) or 0

    async def verb(tx: Transaction) -> Sequence[SealedHead]:
        return await tx.heads.beyond(after, limit=span.fetch)

    return page_of(await ask.read(verb), span, _shown, lambda head: str(head.number))


def _shown(sealed: SealedHead) -> Head:
    stated = peek_head(sealed.jws)
    return Head(
        number=stated.number,
        first=stated.first,
        last=stated.last,
        count=stated.count,
        head=stated.head,
        at=stated.at,
        jws=json.loads(sealed.jws),
    )
