# SPDX-License-Identifier: Apache-2.0
"""`/tenants`: who owns devices."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path

from homeport.api.server.ask import Asked, Changed, Posted, needs
from homeport.api.server.paging import Paged, page_of
from homeport.api.wire.model import Name, Page
from homeport.api.wire.places import NewTenant, Tenant, TenantChange
from homeport.domain import tenant
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError
from homeport.provisioning.add_tenant import add_tenant
from homeport.provisioning.people.tenants import change_tenant
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/tenants", tags=["tenants"])

TenantName = Annotated[Name, Path(description="Name of the tenant.")]


@router.get("", **needs(Permission.TENANT_READ))
async def list_tenants(ask: Asked, span: Paged) -> Page[Tenant]:
    """List the tenants that one belongs to; for the operator, all."""
    mine = ask.tenants()

    async def verb(tx: Transaction) -> Sequence[tenant.Tenant]:
        if mine is None:
            return await tx.tenants.page(after=span.after, limit=span.fetch)
        names = sorted(name for name in mine if name > (span.after or ""))[: span.fetch]
        found = [await tx.tenants.get(name) for name in names]
        return [each for each in found if each is not None]

    return page_of(await ask.read(verb), span, Tenant.of, lambda row: row.name)


@router.post("", status_code=201, **needs(Permission.PLATFORM_OPERATE, 409))
async def add_a_tenant(new: NewTenant, ask: Posted) -> Tenant:
    """Add a tenant."""
    ask.demand(None, "tenants")

    async def verb(tx: Transaction) -> Tenant:
        added = await add_tenant(
            tx, new.name, title=new.title, upstream=new.upstream, actor=ask.actor, now=ask.now
        )
        return Tenant.of(added)

    return await ask.once(Tenant, verb)


@router.get("/{tenant_name}", **needs(Permission.TENANT_READ))
async def get_tenant(tenant_name: TenantName, ask: Asked) -> Tenant:
    """Show one tenant."""
    ask.demand(tenant_name, f"tenant {tenant_name}")

    async def verb(tx: Transaction) -> Tenant:
        found = await tx.tenants.get(tenant_name)
        if found is None:
            raise HomeportError(Code.NOT_FOUND, f"tenant {tenant_name}")
        ask.tag(*_changeable(found))
        return Tenant.of(found)

    return await ask.read(verb)


@router.patch("/{tenant_name}", **needs(Permission.TENANT_WRITE, 412))
async def change_a_tenant(tenant_name: TenantName, change: TenantChange, ask: Changed) -> Tenant:
    """Change title and default upstream."""

    async def verb(tx: Transaction) -> Tenant:
        ask.demand(tenant_name, f"tenant {tenant_name}")
        found = await tx.tenants.get(tenant_name)
        if found is None:
            raise HomeportError(Code.NOT_FOUND, f"tenant {tenant_name}")
        ask.demand_match(*_changeable(found), what=f"tenant {tenant_name}")
        changed = await change_tenant(
            tx,
            found,
            title=found.title if change.title is None else change.title,
            upstream=change.upstream or found.default_upstream,
            actor=ask.actor,
            now=ask.now,
        )
        ask.tag(*_changeable(changed))
        return Tenant.of(changed)

    return await ask.transact(verb)


def _changeable(known: tenant.Tenant) -> tuple[str, str]:
    return known.title, known.default_upstream
