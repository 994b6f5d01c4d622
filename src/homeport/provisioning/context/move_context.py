# SPDX-License-Identifier: Apache-2.0
"""Give the context of a device to the one that replaces it."""

from dataclasses import replace
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.provisioning.context.forget_context import forget_context
from homeport.provisioning.context.held import context_of, owner_of, tell, twin_of
from homeport.provisioning.ports import Transaction


async def move_context(
    tx: Transaction, old: Device, new: Device, *, actor: str, now: datetime
) -> None:
    """Move name, tags, location, attributes and settings; what the old one reported is its own.

    Both belong to the same tenant. What the new one had is replaced.
    """
    tenant = owner_of(new)
    context, twin = await context_of(tx, old), await twin_of(tx, old)
    if not context.document() and not twin.desired:
        return
    held, told = await context_of(tx, new), await twin_of(tx, new)
    moved = replace(context, device=new.id, tenant=tenant, version=held.version + 1, changed_at=now)
    await tx.contexts.put(moved)
    await tell(tx, replace(told, desired=twin.desired), now)
    await tx.audit.record(
        AuditEvent(
            name=Name.CONTEXT_CHANGED,
            at=now,
            actor=actor,
            tenant=tenant,
            device=new.id,
            facts={"what": f"context, taken over from {old.id.serial_number},"}
            | {"version": moved.version},
        )
    )
    await forget_context(tx, old, actor=actor, now=now)
