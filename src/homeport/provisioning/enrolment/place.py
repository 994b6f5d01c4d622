# SPDX-License-Identifier: Apache-2.0
"""Find the place of a device: its owner, its upstream, and whether that one can take it now."""

from dataclasses import dataclass, replace
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.enrolment import Fact
from homeport.domain.ownership import OwnershipEvent, SalesRecord, ownership_after
from homeport.domain.tenant import Tenant
from homeport.domain.upstream import Upstream, UpstreamKind, assigned_upstream
from homeport.errors import Code, HomeportError
from homeport.provisioning.enrolment.outcome import Redirection
from homeport.provisioning.ports import Transaction


@dataclass(frozen=True, slots=True)
class Place:
    """Where the device goes: to our own broker, or by redirection to another platform."""

    upstream: Upstream
    redirection: Redirection | None = None


async def find_place(
    tx: Transaction, device: Device, *, epoch: int, now: datetime, events: list[AuditEvent]
) -> tuple[Device, Place | Fact]:
    """Return the device, assigned if a sale says so, and its place or the fact that is missing.

    `epoch` is the highest that the device has seen elsewhere; ours never falls behind it. What is
    to be recorded is added to `events`.
    """
    owned = device
    if device.tenant is None:
        record = await tx.sales.covering(device.id)
        if record is None:
            return device, Fact.OWNER
        owned, event = await assigned(tx, device, record, actor="platform", now=now)
        events.append(event)
    if epoch > owned.epoch:
        owned = replace(owned, epoch=epoch)
    if owned is not device:
        await tx.devices.put(owned)
    return owned, await _upstream(tx, owned)


async def assigned(
    tx: Transaction, device: Device, record: SalesRecord, *, actor: str, now: datetime
) -> tuple[Device, AuditEvent]:
    """Return an unowned device as the record's tenant has it, and the event; both still to keep.

    The first owner begins epoch 1. HomeportError: DEVICE_CONFLICT, TENANT_UNKNOWN,
    UPSTREAM_UNKNOWN.
    """
    if device.tenant is not None:
        raise HomeportError(
            Code.DEVICE_CONFLICT, f"{device.id.serial_number} belongs to {device.tenant} already"
        )
    tenant, upstream = await known_place(tx, record)
    owned = replace(
        device,
        tenant=tenant.name,
        upstream=upstream,
        epoch=device.epoch + 1,
        ownership=ownership_after(device.ownership, OwnershipEvent.SOLD),
    )
    facts = {"tenant": tenant.name, "upstream": upstream, "source": record.source}
    return owned, AuditEvent(
        name=Name.DEVICE_ASSIGNED,
        at=now,
        actor=actor,
        tenant=tenant.name,
        device=device.id,
        facts=facts,
    )


async def known_place(tx: Transaction, record: SalesRecord) -> tuple[Tenant, str]:
    """Return the record's tenant and the name of its upstream; both must exist."""
    tenant = await tx.tenants.get(record.tenant)
    if tenant is None:
        raise HomeportError(Code.TENANT_UNKNOWN, record.tenant)
    name = assigned_upstream(record, tenant)
    if await tx.upstreams.get(name) is None:
        raise HomeportError(Code.UPSTREAM_UNKNOWN, name)
    return tenant, name


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
