# SPDX-License-Identifier: Apache-2.0
"""Asking devices, their answers, and quarantine: every refusal, and what the timeline tells."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from fakes.verbs import DEVICE, Platform, given, on_platform
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.enrolment import State
from homeport.domain.life.command import LIFETIME, LIFETIME_MAX, Command, CommandState, Order
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.enrolment.outcome import Outcome
from homeport.provisioning.life.answer import answer, expire
from homeport.provisioning.life.ask import ask, withdraw
from homeport.provisioning.life.outstanding import outstanding
from homeport.provisioning.life.quarantine import quarantine, refuse_held, release
from homeport.provisioning.ports import Transaction

Verb = Callable[[Transaction, Device], Awaitable[object]]


async def do(p: Platform, verb: Verb) -> object:
    async def with_device(tx: Transaction) -> object:
        device = await tx.devices.get(DEVICE)
        assert device is not None
        return await verb(tx, device)

    return await p.verb(with_device)


async def code_of(p: Platform, verb: Verb) -> Code:
    with pytest.raises(HomeportError) as failed:
        await do(p, verb)
    return failed.value.code


async def arrived(p: Platform) -> str:
    """Bring the device home; return its certificate's name."""
    await p.sell("EX-000017,acme")
    outcome = await p.ask()
    await p.arrive(outcome)
    return given(outcome)


async def asked(p: Platform, order: Order) -> Command:
    command = await do(p, lambda tx, d: ask(tx, d, order, actor="ann", now=p.now))
    assert isinstance(command, Command)
    return command


async def answered(p: Platform, command: Command, refusal: str = "", tenant: str = "acme") -> bool:
    return await p.verb(
        lambda tx: answer(
            tx, tenant=tenant, device=DEVICE, command=command.id, refusal=refusal, now=p.now
        )
    )


async def state_of(p: Platform, command: Command) -> CommandState:
    kept = await p.verb(lambda tx: tx.commands.get(command.id))
    assert kept is not None
    return kept.state


async def last(p: Platform) -> AuditEvent:
    return (await p.verb(lambda tx: tx.audit.of_device(DEVICE)))[-1]


@on_platform
async def test_a_device_is_asked_and_obeys(p: Platform) -> None:
    await arrived(p)
    command = await asked(p, Order.REKEY)
    assert command.expires_at == p.now + LIFETIME
    event = await last(p)
    assert (event.name, event.actor, event.tenant) == (Name.COMMAND_ASKED, "ann", "acme")
    assert event.story().startswith("was asked by ann to rekey, until ")
    assert await answered(p, command)
    assert await state_of(p, command) is CommandState.OBEYED
    event = await last(p)
    assert (event.name, event.actor, event.tenant) == (Name.COMMAND_OBEYED, "device", "acme")
    before = await p.names()
    assert not await answered(p, command), "said twice, counted once"
    assert await p.names() == before


@on_platform
async def test_a_device_may_refuse_with_a_reason(p: Platform) -> None:
    await arrived(p)
    command = await asked(p, Order.RESET)
    assert await answered(p, command, "command-unknown")
    assert await state_of(p, command) is CommandState.REFUSED
    assert (await last(p)).story() == "did not reset: command-unknown"
    assert await p.state() is State.OPERATIONAL, "nothing has changed"


@on_platform
async def test_only_the_device_that_was_asked_can_answer(p: Platform) -> None:
    await arrived(p)
    command = await asked(p, Order.RENEW)
    assert not await answered(p, command, tenant="other")
    stranger = Command(
        id="0" * 32, device=DEVICE, order=Order.RENEW, epoch=1, asked_by="", asked_at=p.now,
        expires_at=p.now,
    )  # fmt: skip
    assert not await answered(p, stranger)
    assert await state_of(p, command) is CommandState.ASKED


@on_platform
async def test_what_cannot_be_asked_is_refused(p: Platform) -> None:
    await p.ask()
    rekey: Verb = lambda tx, d: ask(tx, d, Order.REKEY, actor="ann", now=p.now)  # noqa: E731
    assert await code_of(p, rekey) is Code.TRANSITION_ILLEGAL, "it waits for an owner"
    await arrived(p)
    for lifetime in (timedelta(0), LIFETIME_MAX + timedelta(seconds=1)):
        with pytest.raises(MalformedError):
            await do(
                p,
                lambda tx, d, t=lifetime: ask(  # type: ignore[misc]
                    tx, d, Order.REKEY, actor="ann", now=p.now, lifetime=t
                ),
            )
    await asked(p, Order.RENEW)
    assert await code_of(p, rekey) is Code.TRANSITION_ILLEGAL, "one thing at a time"
    await do(p, lambda tx, d: withdraw(tx, d, actor="ann", now=p.now))
    assert (await last(p)).name is Name.COMMAND_WITHDRAWN
    withdraws: Verb = lambda tx, d: withdraw(tx, d, actor="ann", now=p.now)  # noqa: E731
    assert await code_of(p, withdraws) is Code.TRANSITION_ILLEGAL
    await asked(p, Order.REKEY)


@on_platform
async def test_what_is_said_names_the_certificate_in_use(p: Platform) -> None:
    first = await arrived(p)
    command = await asked(p, Order.REKEY)
    found = await p.verb(lambda tx: outstanding(tx, DEVICE, p.now))
    assert found is not None
    assert (found.command, found.tenant, found.credential) == (command, "acme", first)
    second = given(await p.renew(first, key="k2"))
    found = await p.verb(lambda tx: outstanding(tx, DEVICE, p.now))
    assert found is not None
    assert found.credential == first, "the new one has not been seen yet"
    await p.come_online(second)
    found = await p.verb(lambda tx: outstanding(tx, DEVICE, p.now))
    assert found is not None
    assert found.credential == second
    late = command.expires_at
    assert await p.verb(lambda tx: outstanding(tx, DEVICE, late)) is None
    await answered(p, command)
    assert await p.verb(lambda tx: outstanding(tx, DEVICE, p.now)) is None


@on_platform
async def test_nobody_waits_for_ever(p: Platform) -> None:
    await arrived(p)
    command = await asked(p, Order.REKEY)
    assert await p.verb(lambda tx: expire(tx, now=p.now, limit=9)) == 0
    p.now = command.expires_at
    assert await p.verb(lambda tx: expire(tx, now=p.now, limit=9)) == 1
    assert await state_of(p, command) is CommandState.EXPIRED
    event = await last(p)
    assert (event.name, event.tenant) == (Name.COMMAND_EXPIRED, "acme")
    assert not await answered(p, command)


@on_platform
async def test_who_resets_by_command_comes_back_without_a_question(p: Platform) -> None:
    first = await arrived(p)
    command = await asked(p, Order.RESET)
    await answered(p, command)
    assert await p.state() is State.SUPERSEDED
    revoked = await p.verb(lambda tx: tx.credentials.revoked(p.now))
    assert [each.fingerprint for each in revoked] == [first]
    second = await p.ask(key="k2", request="r2")
    assert isinstance(second, Outcome)
    assert second.run.state is State.ISSUED
    assert second.device.epoch == 1, "the same owner"


@on_platform
async def test_a_new_key_before_the_answer_to_a_reset_is_the_answer(p: Platform) -> None:
    await arrived(p)
    command = await asked(p, Order.RESET)
    second = await p.ask(key="k2", request="r2")
    assert isinstance(second, Outcome)
    assert second.run.state is State.ISSUED
    assert await state_of(p, command) is CommandState.OBEYED
    assert not await answered(p, command), "its word comes later, and changes nothing"
    assert await p.arrive(second)
    assert await p.state() is State.OPERATIONAL


@on_platform
async def test_another_command_lets_no_second_key_in(p: Platform) -> None:
    await arrived(p)
    await asked(p, Order.REKEY)
    second = await p.ask(key="k2", request="r2")
    assert isinstance(second, Outcome)
    assert second.run.state is State.AWAITING_DECISION


@on_platform
async def test_quarantine_has_a_reason_and_an_end(p: Platform) -> None:
    await arrived(p)
    hold: Verb = lambda tx, d: quarantine(tx, d, "it shouts", actor="ann", now=p.now)  # noqa: E731
    let: Verb = lambda tx, d: release(tx, d, actor="bob", now=p.now)  # noqa: E731
    assert await code_of(p, let) is Code.TRANSITION_ILLEGAL
    await do(p, refuse_held)
    await do(p, hold)
    event = await last(p)
    assert (event.name, event.tenant) == (Name.DEVICE_QUARANTINED, "acme")
    assert event.story() == "was put into quarantine by ann: it shouts"
    assert await code_of(p, hold) is Code.TRANSITION_ILLEGAL
    assert await code_of(p, refuse_held) is Code.TRANSITION_ILLEGAL
    await asked(p, Order.REKEY)
    await do(p, let)
    assert (await last(p)).name is Name.DEVICE_RELEASED
    assert await code_of(p, let) is Code.TRANSITION_ILLEGAL
    for wrong in ("", " ", "two\nlines", "x" * 201):
        with pytest.raises(MalformedError):
            await do(
                p,
                lambda tx, d, text=wrong: quarantine(  # type: ignore[misc]
                    tx, d, text, actor="ann", now=p.now
                ),
            )
