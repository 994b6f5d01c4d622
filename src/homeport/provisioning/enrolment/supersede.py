# SPDX-License-Identifier: Apache-2.0
"""End a run in favour of a later one of the same device; what it was given no longer counts."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.credential import Credential, CredentialState
from homeport.domain.enrolment import Enrolment, Event
from homeport.provisioning.ports import Transaction


async def supersede(
    tx: Transaction, run: Enrolment, tenant: str | None, *, actor: str, now: datetime
) -> list[AuditEvent]:
    """End the run and revoke its certificates; return what to record, as the tenant's affair."""
    await tx.enrolments.put(run.after(Event.LATER_RUN_BEGUN, now))
    ended = AuditEvent(
        name=Name.ENROLMENT_SUPERSEDED,
        at=now,
        actor=actor,
        tenant=tenant,
        device=run.device,
        enrolment=run.id,
    )
    issued = [c for c in await tx.credentials.of_device(run.device) if c.enrolment == run.id]
    reason = "superseded by another key"
    return [ended, *await revoke_credentials(tx, issued, tenant, reason, actor=actor, now=now)]


async def revoke_credentials(
    tx: Transaction,
    credentials: Iterable[Credential],
    tenant: str | None,
    reason: str,
    *,
    actor: str,
    now: datetime,
) -> list[AuditEvent]:
    """Revoke those that are not revoked yet; return the events to record, one for each."""
    revoked = [c for c in credentials if c.state is not CredentialState.REVOKED]
    for credential in revoked:
        await tx.credentials.put(replace(credential, state=CredentialState.REVOKED, revoked_at=now))
    return [
        AuditEvent(
            name=Name.CREDENTIAL_REVOKED,
            at=now,
            actor=actor,
            tenant=tenant,
            device=credential.device,
            enrolment=credential.enrolment,
            facts={"reason": reason, "credential": credential.fingerprint},
        )
        for credential in revoked
    ]
