# SPDX-License-Identifier: Apache-2.0
"""`/transfers`: devices that are offered to other tenants, seen and ended by both sides."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path

from homeport.api.server.ask import Ask, Asked, Posted, needs
from homeport.api.server.paging import Paged, page_of
from homeport.api.server.subjects import DevicePath, the_device
from homeport.api.wire.life import (
    Acceptance,
    CodeAcceptance,
    NewOffer,
    Offer,
    Offered,
    TakenOver,
)
from homeport.api.wire.model import Page
from homeport.artefacts.claim_code import hash_claim_code, parse_claim_code, show_claim_code
from homeport.domain.life import offer
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError
from homeport.provisioning.life.offer import offer as make_offer
from homeport.provisioning.life.offer_ends import decline, withdraw
from homeport.provisioning.life.take_over import Buyer, take_over
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(tags=["transfers"])

OfferId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", max_length=32, description="Its id.")]


@router.post(
    "/devices/{device_id}/offer", status_code=201, **needs(Permission.DEVICES_TRANSFER, 409)
)
async def offer_device(device_id: DevicePath, said: NewOffer, ask: Posted) -> Offered:
    """Offer a device to another tenant, by name or by a code; nothing changes until it accepts."""

    async def verb(tx: Transaction) -> Offered:
        device = await the_device(tx, ask, device_id)
        made = await make_offer(
            tx,
            device,
            said.tenant,
            actor=ask.actor,
            now=ask.now,
            lifetime=timedelta(days=said.days),
        )
        code = show_claim_code(made.code) if made.code else None
        return Offered(offer=Offer.of(made.offer), code=code)

    return await ask.once(Offered, verb, is_secret=said.tenant is None)


@router.get("/transfers", **needs(Permission.DEVICES_READ))
async def list_offers(ask: Asked, span: Paged) -> Page[Offer]:
    """List the offers from and to one's tenants, newest first."""
    mine = ask.tenants()

    async def verb(tx: Transaction) -> Sequence[offer.Offer]:
        return await tx.offers.concerning(mine, after=span.after or "", limit=span.fetch)

    return page_of(await ask.read(verb), span, Offer.of, lambda row: row.id)


@router.get("/transfers/{offer_id}", **needs(Permission.DEVICES_READ))
async def get_offer(offer_id: OfferId, ask: Asked) -> Offer:
    """Show one offer, to either side."""

    async def verb(tx: Transaction) -> Offer:
        found = await tx.offers.get(offer_id)
        sees_as_buyer = (
            found is not None
            and found.buyer is not None
            and ask.caller.may(Permission.DEVICES_READ, found.buyer)
        )
        whose = None if found is None else found.buyer if sees_as_buyer else found.seller
        ask.demand(whose, f"offer {offer_id}")
        return Offer.of(_found(found, offer_id))

    return await ask.read(verb)


@router.post("/transfers/accept-code", **needs(Permission.DEVICES_TRANSFER, 409))
async def accept_code(said: CodeAcceptance, ask: Posted) -> TakenOver:
    """Accept the offer that a code came with; the device goes over by itself."""
    ask.demand(said.tenant, "offer of this code")

    async def verb(tx: Transaction) -> TakenOver:
        code = parse_claim_code(said.code)
        found = await tx.offers.with_code(hash_claim_code(code))
        return await _taken(tx, ask, _found(found, "of this code"), said, code)

    return await ask.once(TakenOver, verb, is_secret=True)


@router.post("/transfers/{offer_id}/accept", **needs(Permission.DEVICES_TRANSFER, 409))
async def accept_offer(offer_id: OfferId, said: Acceptance, ask: Posted) -> TakenOver:
    """Accept an offer for the tenant that it names; the device goes over by itself."""
    ask.demand(said.tenant, f"offer {offer_id}")

    async def verb(tx: Transaction) -> TakenOver:
        found = await tx.offers.get(offer_id)
        return await _taken(tx, ask, _found(found, offer_id), said, None)

    return await ask.once(TakenOver, verb, is_secret=True)


@router.post("/transfers/{offer_id}/decline", **needs(Permission.DEVICES_TRANSFER, 409))
async def decline_offer(offer_id: OfferId, ask: Posted) -> Offer:
    """Decline an offer, as the tenant that it names."""

    async def verb(tx: Transaction) -> Offer:
        found = await tx.offers.get(offer_id)
        ask.demand(found.buyer if found else None, f"offer {offer_id}")
        ended = await decline(tx, _found(found, offer_id), actor=ask.actor, now=ask.now)
        return Offer.of(ended)

    return await ask.once(Offer, verb)


@router.post("/transfers/{offer_id}/withdraw", **needs(Permission.DEVICES_TRANSFER, 409))
async def withdraw_offer(offer_id: OfferId, ask: Posted) -> Offer:
    """Withdraw an offer, as the tenant that made it."""

    async def verb(tx: Transaction) -> Offer:
        found = await tx.offers.get(offer_id)
        ask.demand(found.seller if found else None, f"offer {offer_id}")
        ended = await withdraw(tx, _found(found, offer_id), actor=ask.actor, now=ask.now)
        return Offer.of(ended)

    return await ask.once(Offer, verb)


async def _taken(
    tx: Transaction, ask: Ask, found: offer.Offer, said: Acceptance, code: str | None
) -> TakenOver:
    buyer = Buyer(tenant=said.tenant, upstream=said.upstream, code=code)
    over = await take_over(tx, found, buyer, actor=ask.actor, now=ask.now)
    return TakenOver(
        device=str(over.device.id),
        tenant=said.tenant,
        epoch=over.device.epoch,
        claim_code=show_claim_code(over.claim_code),
    )


def _found(found: offer.Offer | None, what: str) -> offer.Offer:
    if found is None:
        raise HomeportError(Code.NOT_FOUND, f"offer {what}")
    return found
