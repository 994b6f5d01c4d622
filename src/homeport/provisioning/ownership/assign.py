# SPDX-License-Identifier: Apache-2.0
"""Assign one registered device to a tenant, by the operator's word."""

from datetime import datetime

from homeport.domain.claim import Claim
from homeport.domain.device import Device
from homeport.domain.ownership import OwnershipEvent, Proof
from homeport.errors import Code, HomeportError
from homeport.provisioning.ownership.claim_ends import confirm
from homeport.provisioning.ownership.own import Title, known_place, own
from homeport.provisioning.ports import Transaction


async def assign(
    tx: Transaction, device: Device, tenant: str, upstream: str | None, *, actor: str, now: datetime
) -> Device:
    """Return the device with its owner; if it waits, it goes on at once.

    DEVICE_CONFLICT if it has an owner or another tenant's claim is pending, SALES_CONFLICT if a
    sales record gives it to somebody else, TENANT_UNKNOWN, UPSTREAM_UNKNOWN.
    """
    await known_place(tx, tenant, upstream)
    pending = await tx.claims.pending(device.id)
    await _check(tx, device, tenant, pending)
    title = Title(
        tenant=tenant,
        upstream=upstream,
        event=OwnershipEvent.SOLD,
        proof=Proof.ASSIGNMENT,
        source=f"said by {actor}",
    )
    owned, event = await own(tx, device, title, actor=actor, now=now)
    if pending is not None:
        await confirm(tx, pending, now=now)
    await tx.devices.put(owned)
    await tx.audit.record(event)
    return owned


async def _check(tx: Transaction, device: Device, tenant: str, pending: Claim | None) -> None:
    name = device.id.serial_number
    if pending is not None and pending.tenant != tenant:
        raise HomeportError(
            Code.DEVICE_CONFLICT,
            f"{name} is claimed by {pending.tenant}: withdraw that claim first",
        )
    sale = await tx.sales.covering(device) if device.tenant is None else None
    if sale is not None and sale.tenant not in (None, tenant):
        raise HomeportError(
            Code.SALES_CONFLICT,
            f"{sale.source} gives {name} to {sale.tenant}: import a correction instead",
        )
