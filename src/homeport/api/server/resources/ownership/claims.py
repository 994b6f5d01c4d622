# SPDX-License-Identifier: Apache-2.0
"""`/claims`: a code that was read from a label says whose a device is.

Wrong guesses slow down who guesses: the caller, wherever it asks from, and, far later, its address;
never the device, and nobody else. A claim that is made is no guess; it excuses no other one.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request

from homeport.api.server.ask import Ask, Asked, Changed, Posted, needs
from homeport.api.server.paging import Paged, page_of
from homeport.api.wire.model import Page
from homeport.api.wire.ownership import Claim, NewClaim
from homeport.domain import claim as domain
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError
from homeport.http.source import peer_address, source_of
from homeport.provisioning.ownership.claim import ClaimRequest, claim
from homeport.provisioning.ownership.claim_ends import withdraw
from homeport.provisioning.ports import Transaction
from homeport.provisioning.refusal import Refusal

router: Final = APIRouter(prefix="/claims", tags=["claims"])

ClaimPath = Annotated[str, Path(max_length=40, description="Id of the claim.")]
_REFUSALS: Final = frozenset({Code.CLAIM_REFUSED, Code.CLAIM_TAKEN})


@router.post("", status_code=201, **needs(Permission.DEVICES_CLAIM, 409))
async def claim_a_device(new: NewClaim, ask: Posted, request: Request) -> Claim:
    """Claim a device by its code; the device confirms it by its next enrolment."""
    ask.demand(new.tenant, "the tenant that is named")
    asked = ClaimRequest(device=new.device, code=new.code, tenant=new.tenant)
    guesser = f"{ask.caller.account or ''} {ask.actor}"
    source = source_of(peer_address(request.scope, ask.parts.proxies))
    ask.parts.guesses.begin(guesser, source)

    async def verb(tx: Transaction) -> Claim:
        return Claim.of(_claimed(await claim(tx, asked, actor=ask.actor, now=ask.now)))

    try:
        made = await ask.once(Claim, verb)
    except HomeportError as error:
        if error.code not in _REFUSALS:
            raise
        made = Claim.of(_claimed(await _asked_again(ask, asked)))
    if made.claimed_at == ask.now:  # else it is said again: whoever has one device could go on
        ask.parts.guesses.give_back(guesser, source)
    return made


async def _asked_again(ask: Ask, asked: ClaimRequest) -> domain.Claim | Refusal:
    """An error undoes all that was written: ask once more so that the refusal's event is kept."""
    return await ask.transact(lambda tx: claim(tx, asked, actor=ask.actor, now=ask.now))


def _claimed(came_of: domain.Claim | Refusal) -> domain.Claim:
    if isinstance(came_of, Refusal):
        raise HomeportError(came_of.code, came_of.detail)
    return came_of


@router.get("", **needs(Permission.DEVICES_READ))
async def list_claims(ask: Asked, span: Paged) -> Page[Claim]:
    """List the pending claims that one may see, oldest first."""
    mine = ask.tenants()

    async def verb(tx: Transaction) -> Sequence[domain.Claim]:
        names = [None] if mine is None else sorted(mine)
        pages = [await tx.claims.page(name, after=span.after, limit=span.fetch) for name in names]
        found = (each for page in pages for each in page)
        return sorted(found, key=lambda each: each.id)[: span.fetch]

    return page_of(await ask.read(verb), span, Claim.of, lambda row: row.id)


@router.delete("/{claim_id}", **needs(Permission.DEVICES_CLAIM, 409))
async def withdraw_a_claim(claim_id: ClaimPath, ask: Changed) -> Claim:
    """Withdraw a pending claim; the code is as good as before."""

    async def verb(tx: Transaction) -> Claim:
        known = await tx.claims.get(claim_id)
        ask.demand(known.tenant if known else None, f"claim {claim_id}")
        if known is None:
            raise HomeportError(Code.NOT_FOUND, f"claim {claim_id}")
        return Claim.of(await withdraw(tx, known, actor=ask.actor, now=ask.now))

    return await ask.transact(verb)
