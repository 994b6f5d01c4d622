# SPDX-License-Identifier: Apache-2.0
"""`/upstreams`: where devices can be sent."""

from typing import Final

from fastapi import APIRouter

from homeport.api.server.ask import Asked, needs
from homeport.api.server.paging import Paged, page_of
from homeport.api.wire.model import Page
from homeport.api.wire.places import Upstream
from homeport.domain.people import Permission

router: Final = APIRouter(prefix="/upstreams", tags=["upstreams"])


@router.get("", **needs(Permission.TENANT_READ))
async def list_upstreams(ask: Asked, span: Paged) -> Page[Upstream]:
    """List the upstreams; everybody chooses among the same."""
    ask.tenants()
    known = await ask.read(lambda tx: tx.upstreams.all())
    rows = [each for each in known if each.name > (span.after or "")][: span.fetch]
    return page_of(rows, span, Upstream.of, lambda row: row.name)
