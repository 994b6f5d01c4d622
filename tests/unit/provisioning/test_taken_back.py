# SPDX-License-Identifier: Apache-2.0
"""A sale that was wrong: what a buyer who never had the device can do to it outlasts nothing."""

from collections.abc import Awaitable, Callable

import pytest

from fakes.verbs import CODE, DEVICE, Platform, on_platform, refused
from homeport.artefacts.claim_code import hash_claim_code
from homeport.domain.claim import Claim, ClaimCode
from homeport.errors import Code, HomeportError
from homeport.provisioning.life.offer import offer
from homeport.provisioning.ownership.claim_codes import make_code
from homeport.provisioning.ports import Transaction

COLUMNS = "serial_number,tenant,action"


async def sold(p: Platform) -> None:
    await p.mint()
    await p.sell("EX-000017,acme")


async def corrected(p: Platform) -> None:
    report = await p.sell("EX-000017,other,correction", COLUMNS)
    assert report.moved == 1


async def cancelled(p: Platform) -> None:
    report = await p.sell("EX-000017,acme,cancellation", COLUMNS)
    assert report.freed == 1


async def code_of(p: Platform, verb: Callable[[Transaction], Awaitable[object]]) -> Code:
    before = p.registry.rows
    with pytest.raises(HomeportError) as failed:
        await p.verb(verb)
    assert p.registry.rows == before, "a refusal changes nothing"
    return failed.value.code


# --- claim codes and offers: only whose device has arrived ----------------------------------------


@on_platform
async def test_a_buyer_makes_no_code_before_the_device_has_arrived(p: Platform) -> None:
    await sold(p)
    device = await p.device()
    code = await code_of(p, lambda tx: make_code(tx, device, actor="ann", now=p.now))
    assert code is Code.TRANSITION_ILLEGAL
    await cancelled(p)
    assert isinstance(await p.claim("other", CODE), Claim), "the label's code is good again"


@on_platform
async def test_a_buyer_makes_a_code_when_it_has_arrived(p: Platform) -> None:
    await sold(p)
    await p.arrive(await p.ask())
    device = await p.device()
    assert await p.verb(lambda tx: make_code(tx, device, actor="ann", now=p.now))


@on_platform
async def test_a_code_of_the_former_buyer_is_spent(p: Platform) -> None:
    await sold(p)
    epoch = (await p.device()).epoch
    kept = ClaimCode(hash_claim_code(CODE), epoch)
    await p.verb(lambda tx: tx.claim_codes.put(DEVICE, kept))
    await cancelled(p)
    assert refused(await p.claim("acme", CODE)) is Code.CLAIM_REFUSED


@on_platform
async def test_the_code_survives_a_correction_that_is_cancelled_too(p: Platform) -> None:
    await sold(p)
    await corrected(p)
    await p.sell("EX-000017,other,cancellation", COLUMNS)
    assert isinstance(await p.claim("acme", CODE), Claim)


@on_platform
async def test_a_buyer_does_not_pass_on_what_has_not_arrived(p: Platform) -> None:
    await p.add("accomplice")
    await sold(p)
    device = await p.device()
    made = await code_of(p, lambda tx: offer(tx, device, "accomplice", actor="ann", now=p.now))
    assert made is Code.TRANSITION_ILLEGAL
    await corrected(p)
    assert (await p.device()).tenant == "other"
