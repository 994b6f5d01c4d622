# SPDX-License-Identifier: Apache-2.0
"""Take what a device says of itself: at least once, and the same result however often."""

from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.context.twin import Report
from homeport.domain.device import DeviceId
from homeport.provisioning.context.held import twin_of
from homeport.provisioning.ports import Transaction


async def take_report(
    tx: Transaction, *, tenant: str, device: DeviceId, report: Report, at: datetime
) -> bool:
    """Take it and return True, or False if it does not count: said before, or not this owner's.

    `tenant` is the topic's, `at` when the broker took the message. MalformedError if it makes no
    document. Only what was put into use is told in the timeline, at most once a version: how often
    a device speaks must not decide how long the trail is.
    """
    known = await tx.devices.get(device)
    if known is None or known.tenant != tenant:
        return False
    twin = await twin_of(tx, known)
    if not twin.is_news(report, at):
        return False
    taken = twin.after(report, at)
    await tx.twins.put(taken)
    if taken.applied > twin.applied:
        await tx.audit.record(
            AuditEvent(
                name=Name.TWIN_APPLIED,
                at=at,
                actor="device",
                tenant=tenant,
                device=device,
                facts={"version": taken.applied},
            )
        )
    return True
