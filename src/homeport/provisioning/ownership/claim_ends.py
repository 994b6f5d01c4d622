# SPDX-License-Identifier: Apache-2.0
"""End a pending claim: withdrawn by people, confirmed by the device, or overruled."""

from dataclasses import replace
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.claim import Claim, ClaimState
from homeport.domain.ownership import OwnershipEvent, ownership_after
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction


async def withdraw(tx: Transaction, claim: Claim, *, actor: str, now: datetime) -> Claim:
    """Take a pending claim back; the device is unowned again and its code as good as before.

    TRANSITION_ILLEGAL for a claim that has ended.
    """
    if claim.state is not ClaimState.PENDING:
        raise HomeportError(Code.TRANSITION_ILLEGAL, f"the claim is {claim.state} already")
    device = await tx.devices.get(claim.device)
    if device is None:
        raise HomeportError(Code.DEVICE_UNKNOWN, str(claim.device))
    after = ownership_after(device.ownership, OwnershipEvent.CLAIM_WITHDRAWN)
    await tx.devices.put(replace(device, ownership=after))
    await tx.audit.record(_event(Name.CLAIM_WITHDRAWN, claim, actor, now))
    return await _end(tx, claim, ClaimState.WITHDRAWN, now)


async def confirm(tx: Transaction, claim: Claim, *, now: datetime) -> None:
    """The device has enrolled: what was claimed is owned. The event is the owner's own."""
    await _end(tx, claim, ClaimState.CONFIRMED, now)


async def overrule(
    tx: Transaction, claim: Claim, reason: str, *, actor: str, now: datetime
) -> AuditEvent:
    """A stronger proof ends the claim; return what to tell who made it."""
    await _end(tx, claim, ClaimState.OVERRULED, now)
    told = _event(Name.CLAIM_OVERRULED, claim, actor, now)
    return replace(told, facts={**told.facts, "reason": reason})


async def _end(tx: Transaction, claim: Claim, state: ClaimState, now: datetime) -> Claim:
    ended = replace(claim, state=state, ended_at=now)
    await tx.claims.put(ended)
    return ended


def _event(name: Name, claim: Claim, actor: str, now: datetime) -> AuditEvent:
    return AuditEvent(
        name=name,
        at=now,
        actor=actor,
        tenant=claim.tenant,
        device=claim.device,
        facts={"tenant": claim.tenant, "claim": claim.id},
    )
