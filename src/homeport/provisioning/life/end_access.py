# SPDX-License-Identifier: Apache-2.0
"""End all that a device was given under its present owner, so that it has to begin anew.

Every run ends, every certificate is revoked (the broker disconnects on `CREDENTIAL_REVOKED`), what
it was asked is taken back, it counts as absent. A bar and a quarantine go with the owner who set
them, and so does the reason that he gave.
"""

from datetime import datetime
from typing import Final

from homeport.domain.audit import AuditEvent
from homeport.domain.device import Device
from homeport.domain.enrolment import ENDED, Enrolment, Event, State
from homeport.provisioning.enrolment.supersede import revoke_credentials, supersede
from homeport.provisioning.life.ask import withdrawn
from homeport.provisioning.life.quarantine import released
from homeport.provisioning.ports import Presence, Transaction

_WAITING: Final = frozenset({State.PROVEN, State.AWAITING_OWNER, State.AWAITING_UPSTREAM})


async def end_access(
    tx: Transaction,
    device: Device,
    reason: str,
    *,
    spares_waiting: bool = False,
    actor: str,
    now: datetime,
) -> list[AuditEvent]:
    """End it; return what to record, as the present owner's affair.

    A run that has got nothing yet may be spared: it goes on to wait, under the next owner.
    """
    events = await withdrawn(tx, device, actor=actor, now=now)
    events += await released(tx, device, actor=actor, now=now)
    latest = await tx.enrolments.latest(device.id)
    runs = [*await tx.enrolments.candidates(device.id)]
    if latest is not None and latest not in runs:
        runs.append(latest)
    for run in runs:
        if not (spares_waiting and run.state in _WAITING):
            events += await _end(tx, run, device.tenant, actor, now)
    issued = await tx.credentials.of_device(device.id)
    events += await revoke_credentials(tx, issued, device.tenant, reason, actor=actor, now=now)
    if await tx.presence.get(device.id) is not None:
        await tx.presence.put(device.id, Presence(online=False, since=now))
    return events


async def _end(
    tx: Transaction, run: Enrolment, tenant: str | None, actor: str, now: datetime
) -> list[AuditEvent]:
    if run.state is State.REVOKED:
        await tx.enrolments.put(run.after(Event.READMITTED, now))
    elif run.state not in ENDED:
        return await supersede(tx, run, tenant, actor=actor, now=now)
    return []
