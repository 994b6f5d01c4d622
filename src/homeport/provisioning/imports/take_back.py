# SPDX-License-Identifier: Apache-2.0
"""Take a sold device back that has not arrived: its sale was corrected or cancelled.

A device that works at its tenant is that tenant's in fact, whatever an ERP system says later: it
moves by a transfer, which the tenant agrees to.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.ownership import OwnershipEvent, Proof, ownership_after
from homeport.provisioning.context.forget_context import forget_context
from homeport.provisioning.life.end_access import end_access
from homeport.provisioning.ownership.claim_codes import restore_code
from homeport.provisioning.ports import Transaction

REASON: Final = "it was sold to somebody else, or to nobody"


async def take_back(
    tx: Transaction, device: Device, source: str, name: Name, *, actor: str, now: datetime
) -> list[AuditEvent]:
    """End what the tenant's device was given; return what to record, as that tenant's affair.

    `name` is SALE_CORRECTED or SALE_CANCELLED. Whose it is then is the caller's to write.
    """
    events = await end_access(tx, device, REASON, spares_waiting=True, actor=actor, now=now)
    await restore_code(tx, device)
    await forget_context(tx, device, actor=actor, now=now)
    facts: dict[str, str | int] = {
        "tenant": device.tenant or "–",
        "source": source,
        "proof": Proof.SALES_RECORD.value,
        "epoch": device.epoch,
    }
    told = AuditEvent(
        name=name, at=now, actor=actor, tenant=device.tenant, device=device.id, facts=facts
    )
    return [*events, told]


def freed(device: Device) -> Device:
    """Return the device as nobody's; its epoch stays."""
    after = ownership_after(device.ownership, OwnershipEvent.SALE_CANCELLED)
    return replace(device, tenant=None, upstream=None, proof=None, ownership=after)
