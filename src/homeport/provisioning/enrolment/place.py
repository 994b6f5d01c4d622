# SPDX-License-Identifier: Apache-2.0
"""Find the place of a device: its owner, its upstream, and whether that one can take it now."""

from dataclasses import dataclass, replace
from datetime import datetime

from homeport.domain.audit import AuditEvent
from homeport.domain.device import Device
from homeport.domain.enrolment import Fact
from homeport.domain.ownership import (
    NO_EPOCH,
    Ownership,
    OwnershipEvent,
    Proof,
)
from homeport.domain.upstream import Upstream, UpstreamKind
from homeport.provisioning.enrolment.outcome import Redirection
from homeport.provisioning.ownership.claim_ends import confirm
from homeport.provisioning.ownership.own import Title, own
from homeport.provisioning.ownership.sold import sold_title
from homeport.provisioning.ports import Transaction


@dataclass(frozen=True, slots=True)
class Place:
    """Where the device goes: to our own broker, or by redirection to another platform."""

    upstream: Upstream
    redirection: Redirection | None = None


async def find_place(
    tx: Transaction, device: Device, *, epoch: int, now: datetime, events: list[AuditEvent]
) -> tuple[Device, Place | Fact]:
    """Return the device, owned if a claim or a sale says so, and its place or the missing fact.

    `epoch` is the highest that the device has seen elsewhere; ours never falls behind it. What is
    to be recorded is added to `events`.
    """
    owned = device
    if device.tenant is None:
        title = await _title(tx, device, now)
        if title is None:
            return device, Fact.OWNER
        # A claim is confirmed by the device itself; a sale takes effect by the platform's hand.
        by = "platform" if title.event is OwnershipEvent.SOLD else "device"
        owned, event = await own(tx, device, title, actor=by, now=now)
        events.append(event)
    if epoch > owned.epoch:
        owned = replace(owned, epoch=epoch)
    if owned is not device:
        await tx.devices.put(owned)
    return owned, await _upstream(tx, owned)


async def _title(tx: Transaction, device: Device, now: datetime) -> Title | None:
    """Return why the device, which has no owner, belongs to a tenant from now on."""
    match device.ownership:
        case Ownership.CLAIMED:
            return await _claimed(tx, device, now)
        case Ownership.UNOWNED if device.epoch == NO_EPOCH:
            # Sales from before serve the first owner only; later ones find the device registered.
            record = await tx.sales.covering(device)
            return None if record is None else sold_title(record)
        case _:
            return None


async def _claimed(tx: Transaction, device: Device, now: datetime) -> Title | None:
    claim = await tx.claims.pending(device.id)
    if claim is None:
        return None
    await confirm(tx, claim, now=now)
    record = await tx.sales.covering(device)
    is_sold = record is not None and record.tenant == claim.tenant
    return Title(
        tenant=claim.tenant,
        upstream=record.upstream if record is not None and is_sold else None,
        event=OwnershipEvent.CLAIM_CONFIRMED,
        proof=Proof.CLAIM_CODE,
        source=f"claimed by {claim.actor}",
    )


async def _upstream(tx: Transaction, device: Device) -> Place | Fact:
    upstream = await tx.upstreams.get(device.upstream or "")
    if upstream is None:
        return Fact.UPSTREAM
    match upstream.kind:
        case UpstreamKind.OURS:
            return Place(upstream)
        case UpstreamKind.PLATFORM:
            stored = await tx.vouchers.get(device.id, upstream.name)
            if stored is None or stored.epoch < device.epoch:
                return Fact.UPSTREAM
            return Place(upstream, Redirection(upstream, stored.voucher, stored.epoch))
