# SPDX-License-Identifier: Apache-2.0
"""Revoke a device: at once, and until a person readmits it."""

from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.enrolment import ENDED, Enrolment, Event, State
from homeport.errors import Code, HomeportError
from homeport.provisioning.enrolment.supersede import revoke_credentials
from homeport.provisioning.identifiers import new_id
from homeport.provisioning.ports import Transaction


async def revoke(tx: Transaction, device: Device, reason: str, *, actor: str, now: datetime) -> int:
    """Revoke all certificates of the device and bar it; return how many certificates.

    The broker disconnects it when it reads the event (`CREDENTIAL_REVOKED`). One that was never
    seen is refused when it comes.
    """
    run = await tx.enrolments.latest(device.id)
    if run is not None and run.state is State.REVOKED:
        detail = f"{device.id.serial_number} is {run.state} already"
        raise HomeportError(Code.TRANSITION_ILLEGAL, detail)
    issued = await tx.credentials.of_device(device.id)
    if run is None or run.state in ENDED:
        revoked = _never_begun(device, now)
    else:
        revoked = run.after(Event.CREDENTIAL_REVOKED, now)
    await tx.enrolments.put(revoked)
    events = await revoke_credentials(tx, issued, device.tenant, reason, actor=actor, now=now)
    await tx.audit.record(*events or [_barred(device, reason, actor, now)])
    return len(events)


def _never_begun(device: Device, now: datetime) -> Enrolment:
    """A run of nobody's key, which bars the device as any revoked run does."""
    run_id = new_id(now)
    return Enrolment(
        id=run_id,
        device=device.id,
        state=State.REVOKED,
        request_id=run_id,
        key_hash=run_id,  # no hash of a key: these have 64 digits
        epoch=device.epoch,
        started_at=now,
        changed_at=now,
    )


def _barred(device: Device, reason: str, actor: str, now: datetime) -> AuditEvent:
    return AuditEvent(
        name=Name.DEVICE_BARRED,
        at=now,
        actor=actor,
        tenant=device.tenant,
        device=device.id,
        facts={"reason": reason},
    )


async def readmit(tx: Transaction, device: Device, *, actor: str, now: datetime) -> None:
    """Let a revoked device enrol again; its revoked keys stay revoked."""
    run = await tx.enrolments.latest(device.id)
    if run is None or run.state is not State.REVOKED:
        raise HomeportError(Code.TRANSITION_ILLEGAL, "only a revoked device is readmitted")
    await tx.enrolments.put(run.after(Event.READMITTED, now))
    await tx.audit.record(
        AuditEvent(
            name=Name.DEVICE_READMITTED,
            at=now,
            actor=actor,
            tenant=device.tenant,
            device=device.id,
        )
    )
