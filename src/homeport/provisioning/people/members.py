# SPDX-License-Identifier: Apache-2.0
"""Members of a tenant: join, change role, leave. The last admin stays.

Who is no admin any more loses with the role what it gave out: see `take_back`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from homeport.domain.account import Account
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.membership import Invitation, Member
from homeport.domain.people import PERMISSIONS, Role
from homeport.errors import Code, HomeportError
from homeport.provisioning.people.take_back import take_back
from homeport.provisioning.ports import Transaction


async def join(tx: Transaction, invitation: Invitation, account: Account, *, now: datetime) -> None:
    """Make the account what the invitation says; a higher role that it has already stays."""
    role, tenant = invitation.role, invitation.tenant
    if tenant is not None and role is not None:
        known = await tx.members.get(tenant, account.id)
        if known is not None and PERMISSIONS[role] <= PERMISSIONS[known.role]:
            role = known.role
        await tx.members.put(Member(tenant=tenant, account=account.id, role=role, joined_at=now))
    facts = {"account": account.name, "role": str(role or "operator"), "way": "invitation"}
    await tx.audit.record(
        AuditEvent(name=Name.MEMBER_JOINED, at=now, actor=account.name, tenant=tenant, facts=facts)
    )


async def change_role(
    tx: Transaction, member: Member, account: Account, role: Role, *, actor: str, now: datetime
) -> Member:
    """Give the member another role; HomeportError(LAST_ADMIN)."""
    if role is member.role:
        return member
    await _demand_other_admin(tx, member, account)
    changed = replace(member, role=role)
    await tx.members.put(changed)
    facts = {"account": account.name, "role": str(role), "former": str(member.role)}
    await _record(tx, Name.MEMBER_CHANGED, member, facts, actor=actor, now=now)
    if member.role is Role.ADMIN:
        await take_back(tx, member.tenant, account, actor=actor, now=now)
    return changed


async def remove_member(
    tx: Transaction, member: Member, account: Account, *, actor: str, now: datetime
) -> None:
    """Remove the member, whose account stays; HomeportError(LAST_ADMIN)."""
    await _demand_other_admin(tx, member, account)
    await tx.members.remove(member)
    facts = {"account": account.name, "role": str(member.role)}
    await _record(tx, Name.MEMBER_REMOVED, member, facts, actor=actor, now=now)
    await take_back(tx, member.tenant, account, actor=actor, now=now)


async def _demand_other_admin(tx: Transaction, member: Member, account: Account) -> None:
    if member.role is not Role.ADMIN or account.is_disabled:
        return
    if await tx.members.admins(member.tenant) <= 1:
        detail = f"{account.name} is the last admin of {member.tenant}"
        raise HomeportError(Code.LAST_ADMIN, detail)


async def _record(
    tx: Transaction,
    name: Name,
    member: Member,
    facts: Mapping[str, str],
    *,
    actor: str,
    now: datetime,
) -> None:
    await tx.audit.record(
        AuditEvent(name=name, at=now, actor=actor, tenant=member.tenant, facts=facts)
    )
