# SPDX-License-Identifier: Apache-2.0
"""`/upstreams`: where devices can be sent."""

from typing import Annotated, Final

from fastapi import APIRouter, Path

from homeport.api.server.ask import Asked, Posted, needs
from homeport.api.server.paging import Paged, page_of
from homeport.api.wire.model import Name, Page
from homeport.api.wire.places import NewUpstream, Upstream
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError
from homeport.pki.certificates import der_of, load_bundle
from homeport.provisioning.add_upstream import add_platform
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/upstreams", tags=["upstreams"])


@router.get("", **needs(Permission.TENANT_READ))
async def list_upstreams(ask: Asked, span: Paged) -> Page[Upstream]:
    """List the upstreams; everybody chooses among the same."""
    ask.tenants()
    known = await ask.read(lambda tx: tx.upstreams.all())
    rows = [each for each in known if each.name > (span.after or "")][: span.fetch]
    return page_of(rows, span, Upstream.of, lambda row: row.name)


@router.post("", status_code=201, **needs(Permission.PLATFORM_OPERATE, 409))
async def add_an_upstream(new: NewUpstream, ask: Posted) -> Upstream:
    """Add another platform: devices are sent there, each with a voucher."""
    ask.demand(None, "upstreams")
    anchor = der_of(load_bundle(new.domain_certificate.encode())[0])

    async def verb(tx: Transaction) -> Upstream:
        added = await add_platform(
            tx, new.name, url=new.url, anchor=anchor, actor=ask.actor, now=ask.now
        )
        return Upstream.of(added)

    return await ask.once(Upstream, verb)


@router.get("/{upstream_name}", **needs(Permission.TENANT_READ))
async def get_upstream(
    upstream_name: Annotated[Name, Path(description="Name of the upstream.")], ask: Asked
) -> Upstream:
    """Show one upstream."""
    ask.tenants()
    found = await ask.read(lambda tx: tx.upstreams.get(upstream_name))
    if found is None:
        raise HomeportError(Code.NOT_FOUND, f"upstream {upstream_name}")
    return Upstream.of(found)
