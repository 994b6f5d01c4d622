# SPDX-License-Identifier: Apache-2.0
"""Transfer: what happens in the one transaction, who may take what, and every refusal."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from fakes.verbs import DEVICE, Platform, given, on_platform, refused
from homeport.domain.audit import Name
from homeport.domain.credential import CredentialState
from homeport.domain.enrolment import State
from homeport.domain.life.command import CommandState, Order
from homeport.domain.life.offer import LIFETIME_MAX, OfferState
from homeport.domain.ownership import Ownership, Proof
from homeport.errors import Code, HomeportError
from homeport.provisioning.complete import complete
from homeport.provisioning.context.change_context import change_context
from homeport.provisioning.enrolment.outcome import Outcome
from homeport.provisioning.life.ask import ask
from homeport.provisioning.life.offer import Offered, offer
from homeport.provisioning.life.offer_ends import decline, expire_offers, withdraw
from homeport.provisioning.life.quarantine import quarantine
from homeport.provisioning.life.take_over import Buyer, TakenOver, take_over
from homeport.provisioning.ownership.claim_codes import is_right
from homeport.provisioning.ports import Transaction
from homeport.provisioning.revoke import revoke

Verb = Callable[[Transaction], Awaitable[object]]


async def arrived(p: Platform) -> str:
    """Bring the device home to acme; return its certificate's name."""
    await p.sell("EX-000017,acme")
    outcome = await p.ask()
    await p.arrive(outcome)
    return given(outcome)


async def offered(p: Platform, buyer: str | None = "other") -> Offered:
    device = await p.device()
    return await p.verb(lambda tx: offer(tx, device, buyer, actor="ann", now=p.now))


async def taken(p: Platform, made: Offered, tenant: str = "other", code: str = "") -> TakenOver:
    buyer = Buyer(tenant=tenant, code=code or made.code)
    return await p.verb(lambda tx: take_over(tx, made.offer, buyer, actor="bob", now=p.now))


async def code_of(p: Platform, verb: Verb) -> Code:
    before = p.registry.rows
    with pytest.raises(HomeportError) as failed:
        await p.verb(verb)
    assert p.registry.rows == before, "a refusal changes nothing"
    return failed.value.code


async def seen(p: Platform, outcome: object, tenant: str) -> None:
    """The device says at the broker that it is there."""
    assert isinstance(outcome, Outcome)
    fingerprint = given(outcome)
    assert await p.verb(
        lambda tx: complete(
            tx, tenant=tenant, device=DEVICE, fingerprint=fingerprint, online=True, now=p.now
        )
    )


@on_platform
async def test_until_it_is_accepted_nothing_changes(p: Platform) -> None:
    first = await arrived(p)
    made = await offered(p)
    device = await p.device()
    assert (device.tenant, device.epoch, device.ownership) == ("acme", 1, Ownership.OFFERED)
    assert made.code is None
    assert given(await p.ask()) == first
    told = {e.name: e.tenant for e in await p.verb(lambda tx: tx.audit.of_device(DEVICE))}
    assert told[Name.TRANSFER_OFFERED] == "acme"
    assert told[Name.TRANSFER_ANNOUNCED] == "other"


@on_platform
async def test_accepting_ends_the_old_access_in_the_same_transaction(p: Platform) -> None:
    first = await arrived(p)
    device = await p.device()
    await p.verb(lambda tx: change_context(tx, device, {"name": "press 4"}, actor="ann", now=p.now))
    command = await p.verb(lambda tx: ask(tx, device, Order.REKEY, actor="ann", now=p.now))
    made = await offered(p)
    over = await taken(p, made)
    assert (over.device.tenant, over.device.epoch, over.device.ownership, over.device.proof) == (
        "other", 2, Ownership.AWAITING_DEVICE, Proof.TRANSFER,
    )  # fmt: skip
    assert await p.device() == over.device
    rows = p.registry.rows
    assert rows.credentials[first].state is CredentialState.REVOKED
    assert await p.state() is State.SUPERSEDED
    assert rows.commands[command.id].state is CommandState.WITHDRAWN
    assert rows.offers[made.offer.id].state is OfferState.ACCEPTED
    assert not rows.presence[DEVICE].online
    assert await p.verb(lambda tx: tx.contexts.get(DEVICE)) is None
    assert await p.verb(lambda tx: is_right(tx, over.device, over.claim_code))


@on_platform
async def test_the_device_comes_over_with_a_new_key(p: Platform) -> None:
    await arrived(p)
    await taken(p, await offered(p))
    assert refused(await p.ask()) is Code.EPOCH_STALE, "the old key is the old owner's"
    outcome = await p.ask(key="k2", request="r2")
    assert isinstance(outcome, Outcome)
    assert (outcome.run.state, outcome.device.tenant) == (State.ISSUED, "other")
    assert (await p.device()).ownership is Ownership.AWAITING_DEVICE, "it was not seen yet"
    await seen(p, outcome, "other")
    assert (await p.device()).ownership is Ownership.OWNED
    assert (await p.names())[-1] is Name.OWNER_CONFIRMED


@on_platform
async def test_each_side_sees_its_own_affairs(p: Platform) -> None:
    await arrived(p)
    await taken(p, await offered(p))
    await seen(p, await p.ask(key="k2", request="r2"), "other")
    events = await p.verb(lambda tx: tx.audit.of_device(DEVICE))
    mine = [e.name for e in events if e.tenant == "other"]
    assert Name.CREDENTIAL_REVOKED not in mine
    assert mine == [
        Name.TRANSFER_ANNOUNCED,
        Name.DEVICE_TRANSFERRED,
        Name.CLAIM_CODE_MADE,
        Name.ENROLMENT_STARTED,
        Name.CREDENTIAL_ISSUED,
        Name.ENROLMENT_COMPLETED,
        Name.OWNER_CONFIRMED,
    ]
    theirs = [e.name for e in events if e.tenant == "acme"]
    assert theirs[-3:] == [
        Name.ENROLMENT_SUPERSEDED, Name.CREDENTIAL_REVOKED, Name.TRANSFER_ACCEPTED
    ]  # fmt: skip


@on_platform
async def test_a_code_serves_a_tenant_that_is_not_known_yet(p: Platform) -> None:
    await arrived(p)
    made = await offered(p, None)
    assert made.code is not None
    wrong = Buyer(tenant="other", code="0" * 20)
    for buyer in (wrong, Buyer(tenant="other"), Buyer(tenant="acme", code=made.code)):
        take: Verb = lambda tx, b=buyer: take_over(tx, made.offer, b, actor="", now=p.now)  # type: ignore[misc]  # noqa: E731
        assert await code_of(p, take) is Code.NOT_FOUND
    assert (await taken(p, made)).device.tenant == "other"


@on_platform
async def test_only_who_is_meant_takes_it_and_only_once(p: Platform) -> None:
    await arrived(p)
    await p.add("third")
    made = await offered(p)

    def take(tenant: str, upstream: str | None = None) -> Verb:
        buyer = Buyer(tenant=tenant, upstream=upstream)
        return lambda tx: take_over(tx, made.offer, buyer, actor="x", now=p.now)

    assert await code_of(p, take("third")) is Code.NOT_FOUND
    assert await code_of(p, take("other", "nowhere")) is Code.UPSTREAM_UNKNOWN
    await taken(p, made)
    kept = p.registry.rows.offers[made.offer.id]
    again: Verb = lambda tx: take_over(tx, kept, Buyer(tenant="other"), actor="x", now=p.now)  # noqa: E731
    assert await code_of(p, again) is Code.TRANSITION_ILLEGAL


@on_platform
async def test_what_cannot_be_offered_is_refused(p: Platform) -> None:
    await p.mint()
    unowned = await p.device()
    make: Verb = lambda tx: offer(tx, unowned, "other", actor="ann", now=p.now)  # noqa: E731
    assert await code_of(p, make) is Code.TRANSITION_ILLEGAL
    await arrived(p)
    device = await p.device()
    for buyer, lifetime, code in (
        ("nobody", timedelta(days=1), Code.TENANT_UNKNOWN),
        ("acme", timedelta(days=1), Code.MALFORMED),
        ("other", timedelta(0), Code.MALFORMED),
        ("other", LIFETIME_MAX + timedelta(seconds=1), Code.MALFORMED),
    ):
        wrong: Verb = lambda tx, b=buyer, t=lifetime: offer(  # type: ignore[misc]  # noqa: E731
            tx, device, b, actor="ann", now=p.now, lifetime=t
        )
        assert await code_of(p, wrong) is code
    await offered(p)
    twice = await p.device()
    make = lambda tx: offer(tx, twice, None, actor="ann", now=p.now)  # noqa: E731
    assert await code_of(p, make) is Code.TRANSITION_ILLEGAL


@on_platform
async def test_a_device_in_quarantine_is_not_passed_on(p: Platform) -> None:
    await arrived(p)
    device = await p.device()
    await p.verb(lambda tx: quarantine(tx, device, "odd", actor="ann", now=p.now))
    make: Verb = lambda tx: offer(tx, device, "other", actor="ann", now=p.now)  # noqa: E731
    assert await code_of(p, make) is Code.TRANSITION_ILLEGAL


@pytest.mark.parametrize(
    ("end", "name", "state"),
    [
        (decline, Name.TRANSFER_DECLINED, OfferState.DECLINED),
        (withdraw, Name.TRANSFER_WITHDRAWN, OfferState.WITHDRAWN),
    ],
)
def test_an_offer_that_ends_leaves_the_device_where_it_is(
    end: Callable[..., Awaitable[object]], name: Name, state: OfferState
) -> None:
    @on_platform
    async def run(p: Platform) -> None:
        first = await arrived(p)
        made = await offered(p)
        await p.verb(lambda tx: end(tx, made.offer, actor="x", now=p.now))
        device = await p.device()
        assert (device.tenant, device.ownership) == ("acme", Ownership.OWNED)
        kept = p.registry.rows.offers[made.offer.id]
        assert kept.state is state
        assert (await p.names())[-1] is name
        assert given(await p.ask()) == first
        for verb in (decline, withdraw):
            again: Verb = lambda tx, v=verb: v(tx, kept, actor="x", now=p.now)  # type: ignore[misc]  # noqa: E731
            assert await code_of(p, again) is Code.TRANSITION_ILLEGAL

    run()


@on_platform
async def test_an_offer_that_nobody_takes_expires(p: Platform) -> None:
    await arrived(p)
    made = await offered(p)
    p.now = made.offer.expires_at
    late: Verb = lambda tx: take_over(tx, made.offer, Buyer(tenant="other"), actor="x", now=p.now)  # noqa: E731
    assert await code_of(p, late) is Code.TRANSITION_ILLEGAL
    assert await p.verb(lambda tx: expire_offers(tx, now=p.now, limit=9)) == 1
    assert (await p.device()).ownership is Ownership.OWNED
    assert (await p.names())[-1] is Name.TRANSFER_EXPIRED
    await offered(p)


@on_platform
async def test_a_bar_goes_with_the_owner_who_set_it(p: Platform) -> None:
    await arrived(p)
    device = await p.device()
    await p.verb(lambda tx: revoke(tx, device, "stolen", actor="ann", now=p.now))
    assert refused(await p.ask(key="k9", request="r9")) is Code.CREDENTIAL_REVOKED
    await taken(p, await offered(p))
    outcome = await p.ask(key="k2", request="r2")
    assert isinstance(outcome, Outcome)
    assert outcome.run.state is State.ISSUED


@on_platform
async def test_a_second_key_of_the_old_time_does_not_come_along(p: Platform) -> None:
    await arrived(p)
    second = await p.ask(key="copy", request="r7")
    assert isinstance(second, Outcome)
    assert second.run.state is State.AWAITING_DECISION
    await taken(p, await offered(p))
    assert await p.verb(lambda tx: tx.enrolments.candidates(DEVICE)) == []


@on_platform
async def test_a_quarantine_and_its_reason_go_with_the_seller(p: Platform) -> None:
    await arrived(p)
    made = await offered(p)
    device = await p.device()
    await p.verb(lambda tx: quarantine(tx, device, "not paid", actor="ann", now=p.now))
    await taken(p, made)
    assert await p.verb(lambda tx: tx.quarantines.get(DEVICE)) is None
    events = await p.verb(lambda tx: tx.audit.of_device(DEVICE))
    assert [e.tenant for e in events if e.name is Name.DEVICE_RELEASED] == ["acme"]
