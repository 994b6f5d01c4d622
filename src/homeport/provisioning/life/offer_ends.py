# SPDX-License-Identifier: Apache-2.0
"""An offer ends without a new owner: declined, withdrawn, or nobody took it in time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.life.offer import Offer, OfferState
from homeport.domain.ownership import OwnershipEvent, ownership_after
from homeport.provisioning.ports import Transaction

_TOLD: Final[Mapping[OfferState, tuple[Name, OwnershipEvent]]] = {
    OfferState.DECLINED: (Name.TRANSFER_DECLINED, OwnershipEvent.TRANSFER_DECLINED),
    OfferState.WITHDRAWN: (Name.TRANSFER_WITHDRAWN, OwnershipEvent.TRANSFER_WITHDRAWN),
    OfferState.EXPIRED: (Name.TRANSFER_EXPIRED, OwnershipEvent.TRANSFER_WITHDRAWN),
}


async def decline(tx: Transaction, offer: Offer, *, actor: str, now: datetime) -> Offer:
    """Say no, as the tenant that it was offered to; TRANSITION_ILLEGAL if it has ended."""
    return await _end(tx, offer, OfferState.DECLINED, actor, now)


async def withdraw(tx: Transaction, offer: Offer, *, actor: str, now: datetime) -> Offer:
    """Take it back, as the tenant that offered it; TRANSITION_ILLEGAL if it has ended."""
    return await _end(tx, offer, OfferState.WITHDRAWN, actor, now)


async def expire_offers(tx: Transaction, *, now: datetime, limit: int) -> int:
    """End offers whose time is over, at most `limit`; return how many."""
    overdue = await tx.offers.overdue(now, limit=limit)
    for offer in overdue:
        await _end(tx, offer, OfferState.EXPIRED, "platform", now)
    return len(overdue)


async def _end(
    tx: Transaction, offer: Offer, state: OfferState, actor: str, now: datetime
) -> Offer:
    ended = offer.ended(state, now)
    await tx.offers.put(ended)
    name, event = _TOLD[state]
    device = await tx.devices.get(offer.device)
    if device is not None:
        await tx.devices.put(replace(device, ownership=ownership_after(device.ownership, event)))
    facts = {"offer": offer.id, "buyer": offer.buyer or "whoever has the code"}
    await tx.audit.record(
        AuditEvent(
            name=name, at=now, actor=actor, tenant=offer.seller, device=offer.device, facts=facts
        )
    )
    return ended
