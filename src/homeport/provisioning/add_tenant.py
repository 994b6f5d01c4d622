# SPDX-License-Identifier: Apache-2.0
"""Add a tenant, with the upstream that its devices go to when nothing else is said."""

from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.tenant import Tenant, check_name
from homeport.domain.upstream import OURS
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction


async def add_tenant(
    tx: Transaction, name: str, *, title: str, upstream: str = OURS, actor: str, now: datetime
) -> Tenant:
    """Add it; HomeportError(ALREADY_EXISTS, UPSTREAM_UNKNOWN) or MalformedError for its name."""
    check_name(name, "tenant")
    if await tx.tenants.get(name) is not None:
        raise HomeportError(Code.ALREADY_EXISTS, f"tenant {name}")
    if await tx.upstreams.get(upstream) is None:
        raise HomeportError(Code.UPSTREAM_UNKNOWN, upstream)
    tenant = Tenant(name=name, title=title or name, default_upstream=upstream, added_at=now)
    await tx.tenants.add(tenant)
    await tx.audit.record(
        AuditEvent(name=Name.TENANT_ADDED, at=now, actor=actor, tenant=name, facts={"tenant": name})
    )
    return tenant
