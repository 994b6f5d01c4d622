# SPDX-License-Identifier: Apache-2.0
"""A device that was awaited has come over to its new owner."""

from dataclasses import replace
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.ownership import Ownership, OwnershipEvent, ownership_after
from homeport.provisioning.ports import Transaction


async def confirm_new_owner(
    tx: Transaction, device: Device, *, now: datetime
) -> tuple[Device, list[AuditEvent]]:
    """Note it, if the device was awaited; return the device and what to record."""
    if device.ownership is not Ownership.AWAITING_DEVICE:
        return device, []
    after = ownership_after(device.ownership, OwnershipEvent.DEVICE_CONFIRMED)
    confirmed = replace(device, ownership=after)
    await tx.devices.put(confirmed)
    event = AuditEvent(
        name=Name.OWNER_CONFIRMED,
        at=now,
        actor="device",
        tenant=device.tenant,
        device=device.id,
        facts={"epoch": device.epoch},
    )
    return confirmed, [event]
