# SPDX-License-Identifier: Apache-2.0
"""Decide about a second key, as a person: the same device, or a copy."""

from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.enrolment import ENDED, Enrolment, Event
from homeport.errors import Code, HomeportError
from homeport.provisioning.enrolment.supersede import supersede
from homeport.provisioning.ports import Transaction


async def accept(tx: Transaction, device: Device, *, actor: str, now: datetime) -> None:
    """The waiting key takes over; what the device had before is revoked."""
    candidate = await _candidate(tx, device)
    latest = await tx.enrolments.latest(device.id)
    if latest is not None and latest.id != candidate.id and latest.state not in ENDED:
        await tx.audit.record(*await supersede(tx, latest, actor=actor, now=now))
    await tx.enrolments.put(candidate.after(Event.CANDIDATE_ACCEPTED, now))
    await tx.audit.record(_event(Name.CANDIDATE_ACCEPTED, candidate, actor, now))


async def refuse(tx: Transaction, device: Device, *, actor: str, now: datetime) -> None:
    """The waiting key gets nothing, now and later; the running device goes on."""
    candidate = await _candidate(tx, device)
    await tx.enrolments.put(candidate.after(Event.CANDIDATE_REFUSED, now))
    await tx.audit.record(_event(Name.CANDIDATE_REFUSED, candidate, actor, now))


async def _candidate(tx: Transaction, device: Device) -> Enrolment:
    candidates = await tx.enrolments.candidates(device.id)
    if not candidates:
        raise HomeportError(Code.TRANSITION_ILLEGAL, "no second key waits for a decision")
    return candidates[-1]


def _event(name: Name, run: Enrolment, actor: str, now: datetime) -> AuditEvent:
    return AuditEvent(name=name, at=now, actor=actor, device=run.device, enrolment=run.id)
