# SPDX-License-Identifier: Apache-2.0
"""Decommission and take back, replace and undo, reset: what they do, and every refusal."""

from collections.abc import Awaitable, Callable

import pytest

from fakes.verbs import CODE, DEVICE, OTHER, Platform, given, on_platform, refused
from homeport.domain.audit import Name
from homeport.domain.claim import Claim
from homeport.domain.credential import CredentialState
from homeport.domain.device import Device, DeviceId
from homeport.domain.enrolment import State
from homeport.domain.life.replacement import Replacement, ReplacementState
from homeport.domain.ownership import Ownership
from homeport.errors import Code, HomeportError
from homeport.provisioning.complete import complete
from homeport.provisioning.context.change_context import change_context
from homeport.provisioning.enrolment.outcome import Outcome
from homeport.provisioning.life.decommission import (
    REGRET,
    decommission,
    last_owner,
    recommission,
)
from homeport.provisioning.life.offer import offer
from homeport.provisioning.life.quarantine import quarantine
from homeport.provisioning.life.replace_device import replace_device, undo_replacement
from homeport.provisioning.life.reset import reset
from homeport.provisioning.ports import Transaction

Verb = Callable[[Transaction], Awaitable[object]]


async def home(p: Platform, device: DeviceId = DEVICE, tenant: str = "acme") -> str:
    """Bring a device home; return its certificate's name."""
    await p.sell(f"{device.serial_number},{tenant}")
    outcome = await p.ask(device, key=f"key of {device}", request=f"of {device}")
    fingerprint = given(outcome)
    await p.verb(
        lambda tx: complete(
            tx, tenant=tenant, device=device, fingerprint=fingerprint, online=True, now=p.now
        )
    )
    return fingerprint


async def name_it(p: Platform, name: str) -> None:
    device = await p.device()
    await p.verb(lambda tx: change_context(tx, device, {"name": name}, actor="ann", now=p.now))


async def name_of(p: Platform, device: DeviceId) -> str | None:
    context = await p.verb(lambda tx: tx.contexts.get(device))
    return context.name if context else None


async def code_of(p: Platform, verb: Verb) -> Code:
    before = p.registry.rows
    with pytest.raises(HomeportError) as failed:
        await p.verb(verb)
    assert p.registry.rows == before, "a refusal changes nothing"
    return failed.value.code


async def ended(p: Platform) -> Device:
    device = await p.device()
    return await p.verb(lambda tx: decommission(tx, device, actor="ann", now=p.now))


async def back(p: Platform, tenant: str | None) -> Device:
    device = await p.device()
    return await p.verb(lambda tx: recommission(tx, device, tenant, actor="ann", now=p.now))


@on_platform
async def test_a_decommissioned_device_is_kept_out(p: Platform) -> None:
    first = await home(p)
    await name_it(p, "press 4")
    device = await ended(p)
    assert (device.tenant, device.upstream, device.ownership) == (
        None, None, Ownership.DECOMMISSIONED
    )  # fmt: skip
    assert p.registry.rows.credentials[first].state is CredentialState.REVOKED
    assert await name_of(p, DEVICE) is None
    for key in (f"key of {DEVICE}", "k2"):
        assert refused(await p.ask(key=key, request=key)) is Code.DEVICE_DECOMMISSIONED
    events = await p.verb(lambda tx: tx.audit.of_device(DEVICE))
    (event,) = [e for e in events if e.name is Name.DEVICE_DECOMMISSIONED]
    assert event.tenant == "acme"
    assert event.story() == "was decommissioned by ann"


@on_platform
async def test_its_code_is_spent(p: Platform) -> None:
    await p.mint()
    await ended(p)
    assert refused(await p.claim()) is Code.CLAIM_REFUSED
    await back(p, None)
    assert refused(await p.claim(code=CODE)) is Code.CLAIM_REFUSED


@on_platform
async def test_what_is_between_owners_is_not_decommissioned(p: Platform) -> None:
    await p.mint()
    assert isinstance(await p.claim(), Claim)
    device = await p.device()
    end: Verb = lambda tx: decommission(tx, device, actor="ann", now=p.now)  # noqa: E731
    assert await code_of(p, end) is Code.TRANSITION_ILLEGAL
    await home(p, OTHER)
    owned = await p.device(OTHER)
    await p.verb(lambda tx: offer(tx, owned, "other", actor="ann", now=p.now))
    offered = await p.device(OTHER)
    end = lambda tx: decommission(tx, offered, actor="ann", now=p.now)  # noqa: E731
    assert await code_of(p, end) is Code.TRANSITION_ILLEGAL


@on_platform
async def test_it_is_taken_back_by_who_had_it_or_the_operator(p: Platform) -> None:
    await home(p)
    device = await p.device()
    assert await p.verb(lambda tx: last_owner(tx, device, p.now)) is None
    take: Verb = lambda tx: recommission(tx, device, None, actor="ann", now=p.now)  # noqa: E731
    assert await code_of(p, take) is Code.TRANSITION_ILLEGAL
    end = await ended(p)
    assert await p.verb(lambda tx: last_owner(tx, end, p.now)) == "acme"
    assert await p.verb(lambda tx: last_owner(tx, end, p.now + REGRET)) is None
    take = lambda tx: recommission(tx, end, "nobody", actor="ann", now=p.now)  # noqa: E731
    assert await code_of(p, take) is Code.TENANT_UNKNOWN
    again = await back(p, "acme")
    assert (again.tenant, again.epoch, again.ownership) == ("acme", 2, Ownership.OWNED)
    outcome = await p.ask(key="k2", request="r2")
    assert isinstance(outcome, Outcome)
    assert outcome.run.state is State.ISSUED
    await ended(p)
    nobodys = await back(p, None)
    assert (nobodys.tenant, nobodys.ownership) == (None, Ownership.UNOWNED)
    parked = await p.ask(key="k3", request="r3")
    assert isinstance(parked, Outcome)
    assert parked.run.state is State.AWAITING_OWNER, "an old sale does not serve it again"


async def replaced(p: Platform) -> Replacement:
    old, new = await p.device(), await p.device(OTHER)
    return await p.verb(lambda tx: replace_device(tx, old, new, actor="ann", now=p.now))


async def undone(p: Platform) -> Replacement:
    new = await p.device(OTHER)
    return await p.verb(lambda tx: undo_replacement(tx, new, actor="ann", now=p.now))


@on_platform
async def test_the_new_device_takes_the_place_and_the_old_one_is_out(p: Platform) -> None:
    first = await home(p)
    await name_it(p, "press 4")
    await p.mint(OTHER)
    await p.sell(f"{OTHER.serial_number},acme")
    made = await replaced(p)
    assert (made.old, made.new, made.was_revoked) == (DEVICE, OTHER, True)
    assert p.registry.rows.credentials[first].state is CredentialState.REVOKED
    assert await p.state() is State.REVOKED
    assert (await name_of(p, OTHER), await name_of(p, DEVICE)) == ("press 4", None)
    assert refused(await p.ask(key="k2", request="r2")) is Code.CREDENTIAL_REVOKED
    assert given(await p.ask(OTHER, key="k3", request="r3"))
    assert Name.DEVICE_REPLACED in await p.names()
    assert Name.DEVICE_TOOK_PLACE in await p.names(OTHER)


@on_platform
async def test_an_exchange_is_undone_until_the_new_one_has_arrived(p: Platform) -> None:
    await home(p)
    await name_it(p, "press 4")
    await p.mint(OTHER)
    await p.sell(f"{OTHER.serial_number},acme")
    undo: Verb = lambda tx: _undo(tx, p)  # noqa: E731
    assert await code_of(p, undo) is Code.TRANSITION_ILLEGAL, "nothing to undo"
    await replaced(p)
    assert (await undone(p)).state is ReplacementState.UNDONE
    assert (await name_of(p, OTHER), await name_of(p, DEVICE)) == (None, "press 4")
    assert given(await p.ask(key="k2", request="r2")), "readmitted"
    assert await code_of(p, undo) is Code.TRANSITION_ILLEGAL, "only once"
    await replaced(p)
    await home(p, OTHER)
    assert await code_of(p, undo) is Code.TRANSITION_ILLEGAL, "it has arrived"


async def _undo(tx: Transaction, p: Platform) -> object:
    new = await tx.devices.get(OTHER)
    assert new is not None
    return await undo_replacement(tx, new, actor="ann", now=p.now)


@on_platform
async def test_what_cannot_replace_is_refused(p: Platform) -> None:
    await home(p)
    await p.mint(OTHER)

    async def code() -> Code:
        old, new = await p.device(), await p.device(OTHER)
        return await code_of(p, lambda tx: replace_device(tx, old, new, actor="", now=p.now))

    assert await code() is Code.TRANSITION_ILLEGAL, "it is nobody's: that is no proof of buying"
    one = await p.device()
    same: Verb = lambda tx: replace_device(tx, one, one, actor="", now=p.now)  # noqa: E731
    assert await code_of(p, same) is Code.TRANSITION_ILLEGAL
    await p.sell(f"{OTHER.serial_number},other")
    assert await code() is Code.TRANSITION_ILLEGAL, "another tenant's"


@on_platform
async def test_neither_what_is_offered_nor_what_is_held_takes_a_place(p: Platform) -> None:
    await home(p)
    await home(p, OTHER)
    old, new = await p.device(), await p.device(OTHER)
    await p.verb(lambda tx: quarantine(tx, new, "odd", actor="ann", now=p.now))
    make: Verb = lambda tx: replace_device(tx, old, new, actor="", now=p.now)  # noqa: E731
    assert await code_of(p, make) is Code.TRANSITION_ILLEGAL
    await p.verb(lambda tx: offer(tx, old, "other", actor="ann", now=p.now))
    offered, third = await p.device(), await p.device(OTHER)
    make = lambda tx: replace_device(tx, offered, third, actor="", now=p.now)  # noqa: E731
    assert await code_of(p, make) is Code.TRANSITION_ILLEGAL


@on_platform
async def test_a_reset_keeps_the_context_or_forgets_it(p: Platform) -> None:
    await home(p)
    await name_it(p, "press 4")
    device = await p.device()
    command = await p.verb(lambda tx: reset(tx, device, keeps_context=True, actor="ann", now=p.now))
    assert await name_of(p, DEVICE) == "press 4"
    again: Verb = lambda tx: reset(tx, device, keeps_context=False, actor="", now=p.now)  # noqa: E731
    assert await code_of(p, again) is Code.TRANSITION_ILLEGAL
    assert await name_of(p, DEVICE) == "press 4", "refused, and nothing was forgotten"
    p.registry.rows.commands.pop(command.id)
    await p.verb(again)
    assert await name_of(p, DEVICE) is None
