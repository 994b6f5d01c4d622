# SPDX-License-Identifier: Apache-2.0
"""Replace a device by another of the same owner: one operation.

The new one takes over context and upstream; the old one is revoked. Both must be the tenant's: who
replaces shows no proof of buying. It can be undone until the new one has arrived.
"""

from dataclasses import replace
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.enrolment import State
from homeport.domain.life.replacement import Replacement, ReplacementState
from homeport.domain.ownership import Ownership
from homeport.errors import Code, HomeportError
from homeport.provisioning.context.move_context import move_context
from homeport.provisioning.life.ask import withdrawn
from homeport.provisioning.life.quarantine import refuse_held
from homeport.provisioning.ports import Transaction
from homeport.provisioning.revoke import readmit, revoke


async def replace_device(
    tx: Transaction, old: Device, new: Device, *, actor: str, now: datetime
) -> Replacement:
    """Put the new one in the old one's place.

    TRANSITION_ILLEGAL for one and the same, for a device that is not simply owned by the same
    tenant or is in quarantine (the new one), and for a new one that works at another upstream.
    """
    _check_owned(old, new)
    await refuse_held(tx, new)
    run = await tx.enrolments.latest(new.id)
    if run is not None and run.state is State.OPERATIONAL and new.upstream != old.upstream:
        detail = f"{new.id.serial_number} works at {new.upstream}, the other was for {old.upstream}"
        raise HomeportError(Code.TRANSITION_ILLEGAL, detail)
    was_revoked = await _end_old(tx, old, new, actor, now)
    placed = replace(new, upstream=old.upstream)
    await tx.devices.put(placed)
    await move_context(tx, old, placed, actor=actor, now=now)
    made = Replacement(
        new=new.id,
        old=old.id,
        by=actor,
        at=now,
        upstream_before=new.upstream,
        was_revoked=was_revoked,
    )
    await tx.replacements.put(made)
    await tx.audit.record(
        _event(Name.DEVICE_REPLACED, old, new, actor, now),
        _event(Name.DEVICE_TOOK_PLACE, new, old, actor, now),
    )
    return made


async def undo_replacement(
    tx: Transaction, new: Device, *, actor: str, now: datetime
) -> Replacement:
    """Put the old one back: readmitted, with its context; the new one is as it was before.

    TRANSITION_ILLEGAL if there was none, or the new one has arrived.
    """
    made = await tx.replacements.of_new(new.id)
    old = await tx.devices.get(made.old) if made is not None else None
    if made is None or old is None or made.state is ReplacementState.UNDONE:
        raise _illegal(new, "has replaced nothing")
    run = await tx.enrolments.latest(new.id)
    if run is not None and run.state is State.OPERATIONAL:
        raise _illegal(new, "has arrived in its place; replace it by the other one instead")
    if old.tenant != new.tenant:
        raise _illegal(old, "belongs to somebody else now")
    if made.was_revoked:
        await readmit(tx, old, actor=actor, now=now)
    restored = replace(new, upstream=made.upstream_before)
    await move_context(tx, restored, old, actor=actor, now=now)
    await tx.devices.put(restored)
    undone = replace(made, state=ReplacementState.UNDONE)
    await tx.replacements.put(undone)
    await tx.audit.record(
        _event(Name.REPLACEMENT_UNDONE, old, new, actor, now),
        _event(Name.REPLACEMENT_UNDONE, new, old, actor, now),
    )
    return undone


def _check_owned(old: Device, new: Device) -> None:
    if old.id == new.id:
        raise _illegal(old, "cannot take its own place")
    if old.tenant != new.tenant:
        raise _illegal(new, f"is not {old.tenant}'s: claim or assign it first")
    for device in (old, new):
        if device.ownership is not Ownership.OWNED:
            raise _illegal(device, f"is {device.ownership}")


async def _end_old(tx: Transaction, old: Device, new: Device, actor: str, now: datetime) -> bool:
    """Bar the old one, unless it is barred already; say whether this did it."""
    await tx.audit.record(*await withdrawn(tx, old, actor=actor, now=now))
    run = await tx.enrolments.latest(old.id)
    if run is not None and run.state is State.REVOKED:
        return False
    await revoke(tx, old, f"replaced by {new.id.serial_number}", actor=actor, now=now)
    return True


def _illegal(device: Device, why: str) -> HomeportError:
    return HomeportError(Code.TRANSITION_ILLEGAL, f"{device.id.serial_number} {why}")


def _event(name: Name, device: Device, other: Device, actor: str, now: datetime) -> AuditEvent:
    facts = {"other": other.id.serial_number, "other_device": str(other.id)}
    return AuditEvent(
        name=name, at=now, actor=actor, tenant=device.tenant, device=device.id, facts=facts
    )
