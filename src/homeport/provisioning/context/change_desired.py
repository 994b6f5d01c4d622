# SPDX-License-Identifier: Apache-2.0
"""Change a device's settings: what its owner wants of it, at once or when it is back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.context.document import check_document, check_patch
from homeport.domain.context.merge_patch import difference, merge
from homeport.domain.context.twin import Twin
from homeport.domain.device import Device
from homeport.provisioning.context.held import owner_of, refuse_other_version, tell, twin_of
from homeport.provisioning.ports import Transaction


async def change_desired(
    tx: Transaction,
    device: Device,
    patch: Mapping[str, Any],
    *,
    if_version: int | None = None,
    actor: str,
    now: datetime,
) -> Twin:
    """Apply a merge patch (RFC 7396) to the settings; return the twin as it is now.

    A patch that changes nothing leaves version and timeline alone. HomeportError:
    CHANGED_MEANWHILE, MALFORMED, TOO_LARGE, TRANSITION_ILLEGAL (no owner).
    """
    tenant = owner_of(device)
    twin = await twin_of(tx, device)
    refuse_other_version(twin.version, if_version)
    merged = merge(twin.desired, check_patch(patch, "desired"))
    desired = check_document(merged, "desired")
    if not difference(twin.desired, desired):
        return twin
    told = await tell(tx, replace(twin, desired=desired), now)
    await tx.audit.record(
        AuditEvent(
            name=Name.TWIN_CHANGED,
            at=now,
            actor=actor,
            tenant=tenant,
            device=device.id,
            facts={"version": told.version},
        )
    )
    return told
