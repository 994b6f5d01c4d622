# SPDX-License-Identifier: Apache-2.0
"""Change a device's name, tags, location or attributes; the device is told what concerns it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.context.context import Context, read_context
from homeport.domain.context.document import check_patch
from homeport.domain.context.merge_patch import difference, merge
from homeport.domain.context.schema import refuse_new_misfits
from homeport.domain.device import Device
from homeport.provisioning.context.held import (
    context_of,
    owner_of,
    refuse_other_version,
    tell,
    twin_of,
)
from homeport.provisioning.ports import Transaction


async def change_context(
    tx: Transaction,
    device: Device,
    patch: Mapping[str, Any],
    *,
    if_version: int | None = None,
    actor: str,
    now: datetime,
) -> Context:
    """Apply a merge patch (RFC 7396) to the context; return it as it is now.

    A patch that changes nothing leaves version and timeline alone. HomeportError:
    CHANGED_MEANWHILE, ATTRIBUTE_MISFIT, MALFORMED, TOO_LARGE, TRANSITION_ILLEGAL (no owner).
    """
    tenant = owner_of(device)
    old = await context_of(tx, device)
    refuse_other_version(old.version, if_version)
    before = old.document()
    new = read_context(
        merge(before, check_patch(patch, "context")),
        device=device.id,
        tenant=tenant,
        version=old.version + 1,
        changed_at=now,
    )
    changed = difference(before, new.document())
    if not changed:
        return old
    if "attributes" in changed and (schema := await tx.schemas.latest(tenant, device.model)):
        refuse_new_misfits(schema.document, old.attributes, new.attributes)
    await tx.contexts.put(new)
    if new.for_device() != old.for_device():
        await tell(tx, await twin_of(tx, device), now)
    await tx.audit.record(
        AuditEvent(
            name=Name.CONTEXT_CHANGED,
            at=now,
            actor=actor,
            tenant=tenant,
            device=device.id,
            facts={"what": ", ".join(sorted(changed)), "version": new.version},
        )
    )
    return new
