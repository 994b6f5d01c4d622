# SPDX-License-Identifier: Apache-2.0
"""Revoke a device: at once, and until a person readmits it."""

from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.enrolment import ENDED, Event, State
from homeport.errors import Code, HomeportError
from homeport.provisioning.enrolment.supersede import revoke_credentials
from homeport.provisioning.ports import Transaction


async def revoke(tx: Transaction, device: Device, reason: str, *, actor: str, now: datetime) -> int:
    """Revoke all certificates of the device and bar it; return how many certificates.

    The broker disconnects it when it reads the event (`CREDENTIAL_REVOKED`).
    """
    run = await tx.enrolments.latest(device.id)
    if run is None or run.state in ENDED:
        state = run.state if run else "never seen"
        raise HomeportError(Code.TRANSITION_ILLEGAL, f"{device.id.serial_number} is {state}")
    issued = await tx.credentials.of_device(device.id)
    await tx.enrolments.put(run.after(Event.CREDENTIAL_REVOKED, now))
    events = await revoke_credentials(tx, issued, device.tenant, reason, actor=actor, now=now)
    await tx.audit.record(*events)
    return len(events)


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
