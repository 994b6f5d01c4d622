# SPDX-License-Identifier: Apache-2.0
"""`/tenants/{tenant_name}/members`: who belongs to a tenant, as what."""

from typing import Annotated, Final

from fastapi import APIRouter, Path

from homeport.api.server.ask import Asked, Changed, needs
from homeport.api.server.paging import Paged, page_of
from homeport.api.server.resources.tenants import TenantName
from homeport.api.wire.members import Member, MemberChange
from homeport.api.wire.model import Page
from homeport.domain import account, membership
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError
from homeport.provisioning.people.members import change_role, remove_member
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/tenants/{tenant_name}/members", tags=["members"])

AccountId = Annotated[str, Path(max_length=64, description="Id of the member's account.")]


@router.get("", **needs(Permission.MEMBERS_READ))
async def list_members(tenant_name: TenantName, ask: Asked, span: Paged) -> Page[Member]:
    """List the members, by sign-in name."""
    ask.demand(tenant_name, f"tenant {tenant_name}")
    rows = await ask.read(
        lambda tx: tx.members.of_tenant(tenant_name, after=span.after, limit=span.fetch)
    )
    return page_of(rows, span, Member.of, lambda row: row[1].name)


@router.get("/{account_id}", **needs(Permission.MEMBERS_READ))
async def get_member(tenant_name: TenantName, account_id: AccountId, ask: Asked) -> Member:
    """Show a member."""
    ask.demand(tenant_name, f"tenant {tenant_name}")

    async def verb(tx: Transaction) -> Member:
        pair = await _member(tx, tenant_name, account_id)
        ask.tag(pair[0].role)
        return Member.of(pair)

    return await ask.read(verb)


@router.patch("/{account_id}", **needs(Permission.MEMBERS_WRITE, 409, 412))
async def change_member(
    tenant_name: TenantName, account_id: AccountId, change: MemberChange, ask: Changed
) -> Member:
    """Give a member another role; the last admin stays admin."""
    ask.demand(tenant_name, f"tenant {tenant_name}")
    ask.caller.demand_to_give(change.role)

    async def verb(tx: Transaction) -> Member:
        member, person = await _member(tx, tenant_name, account_id)
        ask.demand_match(member.role, what=f"member {person.name}")
        changed = await change_role(tx, member, person, change.role, actor=ask.actor, now=ask.now)
        ask.tag(changed.role)
        return Member.of((changed, person))

    return await ask.transact(verb)


@router.delete("/{account_id}", status_code=204, **needs(Permission.MEMBERS_WRITE, 409, 412))
async def remove_a_member(tenant_name: TenantName, account_id: AccountId, ask: Changed) -> None:
    """Remove a member, with the API keys and invitations that the member made here."""
    ask.demand(tenant_name, f"tenant {tenant_name}")

    async def verb(tx: Transaction) -> None:
        member, person = await _member(tx, tenant_name, account_id)
        ask.demand_match(member.role, what=f"member {person.name}")
        await remove_member(tx, member, person, actor=ask.actor, now=ask.now)

    await ask.transact(verb)


async def _member(
    tx: Transaction, tenant: str, account_id: str
) -> tuple[membership.Member, account.Account]:
    member = await tx.members.get(tenant, account_id)
    person = await tx.accounts.get(account_id)
    if member is None or person is None:
        raise HomeportError(Code.NOT_FOUND, f"member {account_id}")
    return member, person
