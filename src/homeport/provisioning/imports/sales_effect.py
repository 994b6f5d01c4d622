# SPDX-License-Identifier: Apache-2.0
"""What an import means for a device that is registered already."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from homeport.domain.audit import Name
from homeport.domain.claim import Claim
from homeport.domain.device import Device, DeviceId
from homeport.domain.ownership import Ownership, OwnershipEvent, SalesRecord
from homeport.provisioning.imports.sales_check import reason_against
from homeport.provisioning.imports.take_back import freed, take_back
from homeport.provisioning.ownership.claim_ends import confirm
from homeport.provisioning.ownership.own import own
from homeport.provisioning.ownership.sold import sold_title
from homeport.provisioning.ports import Transaction


class Effect(Enum):
    """What became of a device."""

    NONE = auto()
    ASSIGNED = auto()
    MOVED = auto()
    FREED = auto()


@dataclass(frozen=True, slots=True)
class Left:
    """A device that stays where it is, against the record."""

    record: SalesRecord
    reason: str


async def settle(
    tx: Transaction, device_id: DeviceId, number: int, *, actor: str, now: datetime
) -> Effect | Left:
    """Bring the device to where the import's record says, if one of the import decides about it.

    Between the check and now it may have arrived, been claimed or decommissioned: then it is left.
    """
    device = await tx.devices.get(device_id)
    record = await tx.sales.covering(device) if device is not None else None
    decides = record is not None and record.imported_by == number
    if device is None or record is None or not decides or device.tenant == record.tenant:
        return Effect.NONE
    if device.ownership is Ownership.DECOMMISSIONED:
        name = device.id.serial_number
        return Left(record, f"{name} is decommissioned: take it back into use first")
    reason = await reason_against(tx, device, record)
    if reason is not None:
        return Left(record, reason)
    if device.tenant is None:
        claim = await tx.claims.pending(device.id)
        return await _assign(tx, device, record, claim, actor=actor, now=now)
    if record.tenant is None:
        return await _free(tx, device, record, actor=actor, now=now)
    return await _move(tx, device, record, actor=actor, now=now)


async def _assign(
    tx: Transaction,
    device: Device,
    record: SalesRecord,
    claim: Claim | None,
    *,
    actor: str,
    now: datetime,
) -> Effect:
    title = sold_title(record)
    if title is None:
        return Effect.NONE
    owned, event = await own(tx, device, title, actor=actor, now=now)
    if claim is not None:
        await confirm(tx, claim, now=now)
    await tx.devices.put(owned)
    await tx.audit.record(event)
    return Effect.ASSIGNED


async def _free(
    tx: Transaction, device: Device, record: SalesRecord, *, actor: str, now: datetime
) -> Effect:
    events = await take_back(tx, device, record.source, Name.SALE_CANCELLED, actor=actor, now=now)
    await tx.devices.put(freed(device))
    await tx.audit.record(*events)
    return Effect.FREED


async def _move(
    tx: Transaction, device: Device, record: SalesRecord, *, actor: str, now: datetime
) -> Effect:
    title = sold_title(record, OwnershipEvent.SALE_CORRECTED)
    if title is None:
        return Effect.NONE
    events = await take_back(tx, device, record.source, Name.SALE_CORRECTED, actor=actor, now=now)
    owned, event = await own(tx, device, title, actor=actor, now=now)
    await tx.devices.put(owned)
    await tx.audit.record(*events, event)
    return Effect.MOVED
