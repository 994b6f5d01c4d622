# SPDX-License-Identifier: Apache-2.0
"""Put a device into quarantine, and release it.

It stays known, certified and under management; its messages reach nobody and none reach it. The
broker asks at log-in, so its connection is ended when the event is read, and it comes back with the
permissions that hold from then on.
"""

from dataclasses import replace
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.life.quarantine import Quarantine, check_reason
from homeport.domain.ownership import Ownership
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction


async def quarantine(
    tx: Transaction, device: Device, reason: str, *, actor: str, now: datetime
) -> Quarantine:
    """Hold it; TRANSITION_ILLEGAL if it is held or at its end, MalformedError for the reason."""
    check_reason(reason)
    if device.ownership is Ownership.DECOMMISSIONED:
        raise _illegal(device, "is decommissioned: nothing of it is let in")
    if await tx.quarantines.get(device.id) is not None:
        raise _illegal(device, "is in quarantine already")
    held = Quarantine(device=device.id, by=actor, reason=reason, since=now)
    await tx.quarantines.put(held)
    facts = {"reason": reason}
    await tx.audit.record(_event(Name.DEVICE_QUARANTINED, device, facts, actor, now))
    return held


async def release(tx: Transaction, device: Device, *, actor: str, now: datetime) -> None:
    """Let it go on; TRANSITION_ILLEGAL if it is not held."""
    events = await released(tx, device, actor=actor, now=now)
    if not events:
        raise _illegal(device, "is not in quarantine")
    await tx.audit.record(*events)


async def released(
    tx: Transaction, device: Device, *, actor: str, now: datetime
) -> list[AuditEvent]:
    """Let it go on, if it is held, and return what to record."""
    held = await tx.quarantines.get(device.id)
    if held is None:
        return []
    await tx.quarantines.put(replace(held, released_at=now))
    return [_event(Name.DEVICE_RELEASED, device, {}, actor, now)]


async def refuse_held(tx: Transaction, device: Device) -> None:
    """Refuse what must not be done to a device in quarantine (TRANSITION_ILLEGAL)."""
    held = await tx.quarantines.get(device.id)
    if held is not None:
        raise _illegal(device, f"is in quarantine ({held.reason}); release it first")


def _illegal(device: Device, why: str) -> HomeportError:
    return HomeportError(Code.TRANSITION_ILLEGAL, f"{device.id.serial_number} {why}")


def _event(
    name: Name, device: Device, facts: dict[str, str], actor: str, now: datetime
) -> AuditEvent:
    return AuditEvent(
        name=name, at=now, actor=actor, tenant=device.tenant, device=device.id, facts=facts
    )
