# SPDX-License-Identifier: Apache-2.0
"""What a device's present owner holds of it. What an earlier owner left does not exist for it."""

from dataclasses import replace
from datetime import datetime

from homeport.domain.context.context import Context
from homeport.domain.context.twin import Twin
from homeport.domain.device import Device
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction


def owner_of(device: Device) -> str:
    """Return the owner; HomeportError(TRANSITION_ILLEGAL) if there is none yet."""
    if device.tenant is None:
        raise HomeportError(
            Code.TRANSITION_ILLEGAL, f"{device.id.serial_number} has no owner who could say this"
        )
    return device.tenant


async def context_of(tx: Transaction, device: Device) -> Context:
    """Return the context; an empty one of version 0 if nothing was ever said."""
    kept = await tx.contexts.get(device.id)
    if kept is not None and kept.tenant == device.tenant:
        return kept
    return Context(device=device.id, tenant=device.tenant or "", changed_at=device.registered_at)


async def twin_of(tx: Transaction, device: Device) -> Twin:
    """Return the twin; an empty one if there is none. Its version goes on from earlier owners'."""
    kept = await tx.twins.get(device.id)
    if kept is None:
        return Twin(device=device.id, tenant=device.tenant, changed_at=device.registered_at)
    if kept.tenant == device.tenant:
        return kept
    return replace(kept.forgotten(kept.changed_at), tenant=device.tenant)


def refuse_other_version(version: int, wanted: int | None) -> None:
    """Refuse a change of something else than was read (CHANGED_MEANWHILE); None: whatever it is."""
    if wanted is not None and wanted != version:
        raise HomeportError(Code.CHANGED_MEANWHILE, f"it is at version {version}, not {wanted}")


async def tell(tx: Transaction, twin: Twin, now: datetime) -> Twin:
    """Keep a new version of what the device is told; whoever pushes it finds it (`unpushed`)."""
    told = twin.told(twin.desired, now)
    await tx.twins.put(told)
    return told
