# SPDX-License-Identifier: Apache-2.0
"""Found a tenant of one's own, and change a tenant.

A tenant is never removed: its name stands in the audit trail, and whoever took the name later would
be shown what happened under it before.
"""

from dataclasses import replace
from datetime import datetime

from homeport.domain.account import Account
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.membership import Member
from homeport.domain.people import Role
from homeport.domain.tenant import Tenant
from homeport.errors import Code, HomeportError
from homeport.provisioning.add_tenant import add_tenant
from homeport.provisioning.ports import Transaction


async def found_tenant(
    tx: Transaction, founder: Account, name: str, *, title: str, now: datetime
) -> Tenant:
    """Make a tenant of one: its founder is its admin.

    HomeportError(ALREADY_EXISTS) for the name, or if the person founded one before, even if it was
    left to others, or is admin of one: more are added by the operator, else one person could take
    all names.
    """
    if founder.has_founded:
        raise HomeportError(Code.ALREADY_EXISTS, "you founded a tenant before")
    for member in await tx.members.of_account(founder.id):
        if member.role is Role.ADMIN:
            raise HomeportError(Code.ALREADY_EXISTS, f"you are admin of {member.tenant} already")
    tenant = await add_tenant(tx, name, title=title, actor=founder.name, now=now)
    await tx.accounts.put(replace(founder, has_founded=True))
    await tx.members.put(Member(tenant=name, account=founder.id, role=Role.ADMIN, joined_at=now))
    facts = {"account": founder.name, "role": str(Role.ADMIN), "way": "founder"}
    await tx.audit.record(
        AuditEvent(name=Name.MEMBER_JOINED, at=now, actor=founder.name, tenant=name, facts=facts)
    )
    return tenant


async def change_tenant(
    tx: Transaction, tenant: Tenant, *, title: str, upstream: str, actor: str, now: datetime
) -> Tenant:
    """Change title and default upstream; HomeportError(UPSTREAM_UNKNOWN).

    Devices that have an upstream keep it.
    """
    if await tx.upstreams.get(upstream) is None:
        raise HomeportError(Code.UPSTREAM_UNKNOWN, upstream)
    changed = replace(tenant, title=title or tenant.name, default_upstream=upstream)
    if changed != tenant:
        await tx.tenants.change(changed)
        facts = {"tenant": tenant.name, "title": changed.title, "upstream": upstream}
        await tx.audit.record(
            AuditEvent(
                name=Name.TENANT_CHANGED, at=now, actor=actor, tenant=tenant.name, facts=facts
            )
        )
    return changed
