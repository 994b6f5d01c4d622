# SPDX-License-Identifier: Apache-2.0
"""Presence: somebody stands in front of the device, and their tenant becomes its owner at once.

Whoever calls this has been shown it: by a press inside the window of provisioning mode, or by a
reading that only the device could give. It beats a pending claim, whose code may come from a
photograph of the label; it does not beat an owner, nor a sale to somebody else.
"""

from datetime import datetime

from homeport.domain.device import Device
from homeport.domain.ownership import OwnershipEvent, Proof
from homeport.errors import Code, HomeportError
from homeport.provisioning.ownership.claim_ends import confirm, overrule
from homeport.provisioning.ownership.own import Title, own
from homeport.provisioning.ports import Transaction


async def show_presence(
    tx: Transaction, device: Device, tenant: str, *, actor: str, now: datetime
) -> Device:
    """Give an unowned or claimed device to the tenant whose member is there.

    DEVICE_CONFLICT if it has an owner, SALES_CONFLICT if it was sold to another tenant.
    """
    sale = await tx.sales.covering(device) if device.tenant is None else None
    if sale is not None and sale.tenant not in (None, tenant):
        raise HomeportError(Code.SALES_CONFLICT, f"{sale.source} gives it to another tenant")
    title = Title(
        tenant=tenant,
        event=OwnershipEvent.PRESENCE_SHOWN,
        proof=Proof.PRESENCE,
        source=actor,
    )
    owned, event = await own(tx, device, title, actor=actor, now=now)
    events = [event]
    pending = await tx.claims.pending(device.id)
    if pending is not None and pending.tenant == tenant:
        await confirm(tx, pending, now=now)
    elif pending is not None:
        reason = "somebody stood in front of the device"
        events.insert(0, await overrule(tx, pending, reason, actor=actor, now=now))
    await tx.devices.put(owned)
    await tx.audit.record(*events)
    return owned
