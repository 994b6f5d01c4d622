# SPDX-License-Identifier: Apache-2.0
"""Accept an offer: in one transaction the device is another tenant's, and the old access ends.

The epoch advances, every certificate of before is revoked, the run ends; so the device, which is
disconnected at once, enrols anew with a new key. Until it was seen under the new epoch it is
awaited. The old owner's context goes; the device gets a fresh claim code for its next owner.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeport.artefacts.claim_code import hash_claim_code
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.life.offer import Offer, OfferState
from homeport.domain.ownership import OwnershipEvent, Proof
from homeport.errors import Code, HomeportError
from homeport.provisioning.context.forget_context import forget_context
from homeport.provisioning.life.end_access import end_access
from homeport.provisioning.ownership.claim_codes import make_code
from homeport.provisioning.ownership.own import Title, own
from homeport.provisioning.ports import Transaction

REASON: Final = "it belongs to somebody else now"


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The device as its new owner has it, and its fresh claim code: shown once."""

    device: Device
    claim_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who takes it."""

    tenant: str
    upstream: str | None = None
    """None: the tenant's default."""
    code: str | None = None
    """Of an offer without a name."""


async def take_over(
    tx: Transaction, offer: Offer, buyer: Buyer, *, actor: str, now: datetime
) -> TakenOver:
    """Accept the offer for the buyer.

    NOT_FOUND for an offer to another tenant or a wrong code, TRANSITION_ILLEGAL for one that has
    ended, TENANT_UNKNOWN, UPSTREAM_UNKNOWN.
    """
    _check_meant(offer, buyer)
    if now >= offer.expires_at:
        raise HomeportError(Code.TRANSITION_ILLEGAL, "the offer has expired")
    accepted = offer.ended(OfferState.ACCEPTED, now)
    device = await tx.devices.get(offer.device)
    if device is None or device.tenant != offer.seller:
        raise HomeportError(Code.TRANSITION_ILLEGAL, "the device is not the seller's any more")
    title = Title(
        tenant=buyer.tenant,
        upstream=buyer.upstream,
        event=OwnershipEvent.TRANSFER_ACCEPTED,
        proof=Proof.TRANSFER,
        source=f"offered by {offer.seller}",
    )
    owned, event = await own(tx, device, title, actor=actor, now=now)
    ended = await end_access(tx, device, REASON, actor=actor, now=now)
    await forget_context(tx, device, actor=actor, now=now)
    await tx.offers.put(accepted)
    await tx.devices.put(owned)
    await tx.audit.record(*ended, _left(device, offer, buyer, actor, now), event)
    return TakenOver(owned, await make_code(tx, owned, actor=actor, now=now))


def _check_meant(offer: Offer, buyer: Buyer) -> None:
    if offer.code_hash is not None:
        shown = hash_claim_code(buyer.code or "")
        is_meant = hmac.compare_digest(shown, offer.code_hash) and buyer.tenant != offer.seller
    else:
        is_meant = buyer.tenant == offer.buyer
    if not is_meant:
        raise HomeportError(Code.NOT_FOUND, f"offer {offer.id}")


def _left(device: Device, offer: Offer, buyer: Buyer, actor: str, now: datetime) -> AuditEvent:
    facts = {"offer": offer.id, "buyer": buyer.tenant}
    return AuditEvent(
        name=Name.TRANSFER_ACCEPTED,
        at=now,
        actor=actor,
        tenant=offer.seller,
        device=device.id,
        facts=facts,
    )
