# SPDX-License-Identifier: Apache-2.0
"""A sale that was wrong: what a buyer who never had the device can do to it outlasts nothing."""

from collections.abc import Awaitable, Callable

import pytest

from fakes.verbs import CODE, DEVICE, Platform, given, on_platform, refused
from homeport.artefacts.claim_code import hash_claim_code
from homeport.domain.audit import Name
from homeport.domain.claim import Claim, ClaimCode
from homeport.domain.enrolment import State
from homeport.domain.life.command import CommandState, Order
from homeport.errors import Code, HomeportError
from homeport.provisioning.enrolment.outcome import Outcome
from homeport.provisioning.life.ask import ask
from homeport.provisioning.life.offer import offer
from homeport.provisioning.life.outstanding import outstanding
from homeport.provisioning.life.quarantine import quarantine
from homeport.provisioning.ownership.claim_codes import make_code
from homeport.provisioning.ports import Transaction
from homeport.provisioning.revoke import revoke

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


# --- what the buyer asked of it, and barred it from -----------------------------------------------


@on_platform
async def test_a_reset_that_the_former_buyer_asked_for_is_taken_back(p: Platform) -> None:
    await sold(p)
    await p.ask()
    device = await p.device()
    asked = await p.verb(lambda tx: ask(tx, device, Order.RESET, actor="ann", now=p.now))
    await corrected(p)
    assert p.registry.rows.commands[asked.id].state is CommandState.WITHDRAWN
    given(await p.ask(key="k2", request="r2"))
    assert await p.verb(lambda tx: outstanding(tx, DEVICE, p.now)) is None
    third = await p.ask(key="k3", request="r3")
    assert isinstance(third, Outcome)
    assert third.run.state is State.AWAITING_DECISION, "nobody asked for a new key"


@on_platform
async def test_a_command_of_another_epoch_is_neither_said_nor_obeyed(p: Platform) -> None:
    await sold(p)
    await p.ask()
    device = await p.device()
    asked = await p.verb(lambda tx: ask(tx, device, Order.RESET, actor="ann", now=p.now))
    await corrected(p)
    await p.verb(lambda tx: tx.commands.put(asked))
    given(await p.ask(key="k2", request="r2"))
    assert await p.verb(lambda tx: outstanding(tx, DEVICE, p.now)) is None
    third = await p.ask(key="k3", request="r3")
    assert isinstance(third, Outcome)
    assert third.run.state is State.AWAITING_DECISION


@on_platform
async def test_the_former_buyers_quarantine_is_lifted(p: Platform) -> None:
    await sold(p)
    device = await p.device()
    await p.verb(lambda tx: quarantine(tx, device, "spite", actor="ann", now=p.now))
    await corrected(p)
    assert await p.verb(lambda tx: tx.quarantines.get(DEVICE)) is None
    events = await p.verb(lambda tx: tx.audit.of_device(DEVICE))
    assert [e.tenant for e in events if e.name is Name.DEVICE_RELEASED] == ["acme"]


@pytest.mark.parametrize("has_come", [False, True])
def test_the_former_buyers_bar_is_lifted(has_come: bool) -> None:
    @on_platform
    async def lifted(p: Platform) -> None:
        await sold(p)
        if has_come:
            await p.ask()
        device = await p.device()
        await p.verb(lambda tx: revoke(tx, device, "spite", actor="ann", now=p.now))
        await corrected(p)
        given(await p.ask(key="k2", request="r2"))

    lifted()


@on_platform
async def test_a_device_that_waits_goes_on_to_wait(p: Platform) -> None:
    await p.mint()
    waiting = await p.ask()
    assert isinstance(waiting, Outcome)
    assert waiting.run.state is State.AWAITING_OWNER
    await p.sell("EX-000017,acme")
    await corrected(p)
    given(await p.ask())
