# SPDX-License-Identifier: Apache-2.0
"""Decide about a second key, as a person: the same device, or a copy.

Where several wait the person names one: else a copy that asks a moment before the decision would be
what is decided on.
"""

from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.enrolment import ENDED, Enrolment, Event
from homeport.errors import Code, HomeportError
from homeport.provisioning.enrolment.supersede import supersede
from homeport.provisioning.ports import Transaction


async def accept(
    tx: Transaction, device: Device, *, actor: str, now: datetime, key: str | None = None
) -> None:
    """The waiting key takes over; what the device had before is revoked.

    `key` is how its hash begins, in hexadecimal; needed where several wait. TRANSITION_ILLEGAL if
    none, or not exactly one, is meant.
    """
    candidate = await _candidate(tx, device, key)
    latest = await tx.enrolments.latest(device.id)
    if latest is not None and latest.id != candidate.id and latest.state not in ENDED:
        await tx.audit.record(*await supersede(tx, latest, device.tenant, actor=actor, now=now))
    await tx.enrolments.put(candidate.after(Event.CANDIDATE_ACCEPTED, now))
    await tx.audit.record(_event(Name.CANDIDATE_ACCEPTED, device, candidate, actor, now))


async def refuse(
    tx: Transaction, device: Device, *, actor: str, now: datetime, key: str | None = None
) -> None:
    """The waiting key gets nothing, now and later; the running device goes on. `key`: as above."""
    candidate = await _candidate(tx, device, key)
    await tx.enrolments.put(candidate.after(Event.CANDIDATE_REFUSED, now))
    await tx.audit.record(_event(Name.CANDIDATE_REFUSED, device, candidate, actor, now))


async def _candidate(tx: Transaction, device: Device, key: str | None) -> Enrolment:
    candidates = await tx.enrolments.candidates(device.id)
    if not candidates:
        raise HomeportError(Code.TRANSITION_ILLEGAL, "no second key waits for a decision")
    meant = [each for each in candidates if key is None or each.key_hash.startswith(key)]
    if len(meant) != 1:
        waiting = ", ".join(
            f"{each.key_hash[:16]} ({each.started_at:%F %T})" for each in candidates
        )
        raise HomeportError(Code.TRANSITION_ILLEGAL, f"say which key is meant: {waiting}")
    return meant[0]


def _event(name: Name, device: Device, run: Enrolment, actor: str, now: datetime) -> AuditEvent:
    return AuditEvent(
        name=name, at=now, actor=actor, tenant=device.tenant, device=device.id, enrolment=run.id
    )
