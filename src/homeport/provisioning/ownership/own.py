# SPDX-License-Identifier: Apache-2.0
"""Give a device to a tenant: the one place where an owner is written down, whatever the proof."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.ownership import OwnershipEvent, Proof, ownership_after
from homeport.domain.tenant import Tenant
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction

_TOLD_AS: Final[Mapping[OwnershipEvent, Name]] = {
    OwnershipEvent.SOLD: Name.DEVICE_ASSIGNED,
    OwnershipEvent.SALE_CORRECTED: Name.DEVICE_ASSIGNED,
    OwnershipEvent.CLAIM_CONFIRMED: Name.CLAIM_CONFIRMED,
    OwnershipEvent.PRESENCE_SHOWN: Name.PRESENCE_SHOWN,
    OwnershipEvent.TRANSFER_ACCEPTED: Name.DEVICE_TRANSFERRED,
}

_CHANGES_HANDS: Final = (OwnershipEvent.SALE_CORRECTED, OwnershipEvent.TRANSFER_ACCEPTED)
"""What gives a device that has an owner to another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """Why a device is a tenant's."""

    tenant: str
    upstream: str | None = None
    """None: the tenant's default upstream."""
    event: OwnershipEvent
    proof: Proof
    source: str
    """For the timeline: file name and line, or who said it."""


async def own(
    tx: Transaction, device: Device, title: Title, *, actor: str, now: datetime
) -> tuple[Device, AuditEvent]:
    """Return the device as its new owner has it, and the event; both are still to be kept.

    The epoch advances. HomeportError: DEVICE_CONFLICT, TRANSITION_ILLEGAL, TENANT_UNKNOWN,
    UPSTREAM_UNKNOWN.
    """
    # First: who mistypes a tenant's name is told that.
    tenant, upstream = await known_place(tx, title.tenant, title.upstream)
    if device.tenant is not None and title.event not in _CHANGES_HANDS:
        raise HomeportError(
            Code.DEVICE_CONFLICT, f"{device.id.serial_number} belongs to {device.tenant} already"
        )
    owned = replace(
        device,
        tenant=tenant.name,
        upstream=upstream,
        epoch=device.epoch + 1,
        ownership=ownership_after(device.ownership, title.event),
        proof=title.proof,
    )
    facts: dict[str, str | int] = {
        "tenant": tenant.name,
        "upstream": upstream,
        "source": title.source,
        "proof": title.proof.value,
        "epoch": owned.epoch,
    }
    return owned, AuditEvent(
        name=_TOLD_AS[title.event],
        at=now,
        actor=actor,
        tenant=tenant.name,
        device=device.id,
        facts=facts,
    )


async def known_place(tx: Transaction, tenant: str, upstream: str | None) -> tuple[Tenant, str]:
    """Return the tenant, and the upstream that is named or else its default; both must exist."""
    known = await tx.tenants.get(tenant)
    if known is None:
        raise HomeportError(Code.TENANT_UNKNOWN, tenant)
    name = upstream or known.default_upstream
    if await tx.upstreams.get(name) is None:
        raise HomeportError(Code.UPSTREAM_UNKNOWN, name)
    return known, name
