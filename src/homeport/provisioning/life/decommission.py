# SPDX-License-Identifier: Apache-2.0
"""Decommission a device: its end of life; and take it back into use, should that be a mistake.

Its access ends, its context goes, its code is spent, nobody owns it; whatever it shows, it is
refused with DEVICE_DECOMMISSIONED. Who had it may have it back for a while, the operator always.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.claim import ClaimCode
from homeport.domain.device import Device
from homeport.domain.ownership import OwnershipEvent, Proof, ownership_after
from homeport.provisioning.context.forget_context import forget_context
from homeport.provisioning.life.end_access import end_access
from homeport.provisioning.ownership.claim_codes import SPENT
from homeport.provisioning.ownership.own import Title, own
from homeport.provisioning.ports import Transaction

REGRET: Final = timedelta(days=30)
"""How long the last owner may take it back without the operator."""


async def decommission(tx: Transaction, device: Device, *, actor: str, now: datetime) -> Device:
    """End its life; TRANSITION_ILLEGAL while it is claimed or offered, or if it has ended."""
    after = ownership_after(device.ownership, OwnershipEvent.DECOMMISSIONED)
    events = await end_access(tx, device, "decommissioned", actor=actor, now=now)
    await forget_context(tx, device, actor=actor, now=now)
    code = await tx.claim_codes.get(device.id)
    if code is not None:
        await tx.claim_codes.put(device.id, ClaimCode(code.hash, SPENT))
    ended = replace(device, tenant=None, upstream=None, proof=None, ownership=after)
    await tx.devices.put(ended)
    event = _event(Name.DEVICE_DECOMMISSIONED, device, device.tenant, actor, now)
    await tx.audit.record(*events, event)
    return ended


async def recommission(
    tx: Transaction, device: Device, tenant: str | None, *, actor: str, now: datetime
) -> Device:
    """Take it back into use: as the tenant's, or as nobody's (None).

    TRANSITION_ILLEGAL for a device that is not decommissioned, TENANT_UNKNOWN.
    """
    after = ownership_after(device.ownership, OwnershipEvent.RECOMMISSIONED)
    back = replace(device, ownership=after)
    events = [_event(Name.DEVICE_RECOMMISSIONED, device, tenant, actor, now)]
    if tenant is not None:
        title = Title(
            tenant=tenant,
            event=OwnershipEvent.SOLD,
            proof=Proof.ASSIGNMENT,
            source=f"taken back by {actor}",
        )
        back, event = await own(tx, back, title, actor=actor, now=now)
        events.append(event)
    await tx.devices.put(back)
    await tx.audit.record(*events)
    return back


async def last_owner(tx: Transaction, device: Device, now: datetime) -> str | None:
    """Return the tenant that may take a decommissioned device back; None: the operator only."""
    found = None
    after = 0
    while events := await tx.audit.of_device(device.id, after=after):
        for event in events:
            if event.name is Name.DEVICE_DECOMMISSIONED:
                found = event
        after = events[-1].cursor
    return found.tenant if found is not None and now < found.at + REGRET else None


def _event(name: Name, device: Device, tenant: str | None, actor: str, now: datetime) -> AuditEvent:
    facts = {"epoch": device.epoch}
    return AuditEvent(name=name, at=now, actor=actor, tenant=tenant, device=device.id, facts=facts)
