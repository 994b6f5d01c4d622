# SPDX-License-Identifier: Apache-2.0
"""Claims by code: provisional, used once, never evicted by another code."""

from collections.abc import Awaitable, Sequence

import pytest

from fakes.verbs import CODE, DEVICE, OTHER, Platform, on_platform, refused
from homeport.artefacts.claim_code import CLAIM_CODE_LENGTH, make_claim_code, show_claim_code
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.claim import Claim, ClaimState
from homeport.domain.device import DeviceId
from homeport.domain.enrolment import State
from homeport.domain.ownership import Ownership, Proof
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.enrolment.outcome import Outcome
from homeport.provisioning.ownership.assign import assign
from homeport.provisioning.ownership.claim_codes import make_code
from homeport.provisioning.ownership.claim_ends import withdraw
from homeport.provisioning.ownership.ledger import ledger
from homeport.provisioning.ownership.presence import show_presence
from homeport.provisioning.ports import Transaction
from homeport.provisioning.refusal import Refusal


def pending(outcome: Claim | Refusal) -> Claim:
    assert isinstance(outcome, Claim)
    assert outcome.state is ClaimState.PENDING
    return outcome


async def told(p: Platform) -> list[AuditEvent]:
    return list(await p.verb(lambda tx: tx.audit.since(0)))


@on_platform
async def test_a_claim_waits_for_its_device_and_the_device_confirms_it(p: Platform) -> None:
    await p.mint()
    pending(await p.claim("acme", show_claim_code(CODE).lower()))
    before = await p.device()
    assert (before.ownership, before.tenant, before.epoch) == (Ownership.CLAIMED, None, 0)
    outcome = await p.ask()
    assert isinstance(outcome, Outcome)
    assert outcome.run.state is State.ISSUED
    after = await p.device()
    assert (after.ownership, after.tenant, after.epoch) == (Ownership.OWNED, "acme", 1)
    assert (after.proof, after.upstream) == (Proof.CLAIM_CODE, "here")
    assert await p.verb(lambda tx: tx.claims.pending(DEVICE)) is None
    names = await p.names()
    assert names[:3] == [Name.DEVICE_CLAIMED, Name.ENROLMENT_STARTED, Name.CLAIM_CONFIRMED]


@on_platform
async def test_a_parked_device_confirms_when_it_asks_again(p: Platform) -> None:
    await p.mint()
    parked = await p.ask()
    assert isinstance(parked, Outcome)
    assert parked.run.state is State.AWAITING_OWNER
    pending(await p.claim())
    outcome = await p.ask()
    assert isinstance(outcome, Outcome)
    assert outcome.run.state is State.ISSUED


@on_platform
async def test_a_wrong_code_an_unknown_device_and_a_used_code_have_one_answer(p: Platform) -> None:
    await p.mint()
    await p.verb(lambda tx: tx.audit.last())
    wrong = await p.claim(code=make_claim_code())
    unknown = await p.claim(device="EX-999999")
    await p.claim()
    await p.ask()
    used = await p.claim("other")
    assert wrong == unknown == used == Refusal(Code.CLAIM_REFUSED, "")
    told_of = [e for e in await told(p) if e.name is Name.CLAIM_REFUSED]
    assert [event.device for event in told_of] == [None, None, None]
    assert [event.tenant for event in told_of] == ["acme", "acme", "other"]
    assert {tuple(sorted(event.facts)) for event in told_of} == {("serial_number",)}


@on_platform
async def test_a_device_that_was_only_seen_cannot_be_claimed(p: Platform) -> None:
    await p.ask()
    assert refused(await p.claim()) is Code.CLAIM_REFUSED


@on_platform
async def test_the_code_says_which_of_two_makers_is_meant(p: Platform) -> None:
    twin, code = DeviceId("b" * 16, DEVICE.serial_number), make_claim_code()
    await p.mint()
    await p.mint(twin, code)
    assert pending(await p.claim(code=code)).device == twin
    assert pending(await p.claim(device=str(DEVICE))).device == DEVICE


@on_platform
async def test_the_first_of_two_claims_wins_and_the_second_is_not_told_whose(p: Platform) -> None:
    await p.mint()
    first = pending(await p.claim("acme"))
    second = await p.claim("other")
    assert second == Refusal(Code.CLAIM_TAKEN, "by a pending claim")
    assert pending(await p.claim("acme")) == first, "asked again"
    assert refused(await p.claim("other", make_claim_code())) is Code.CLAIM_REFUSED
    assert await p.verb(lambda tx: tx.claims.pending(DEVICE)) == first


@on_platform
async def test_a_claim_can_be_withdrawn_and_its_code_is_good_again(p: Platform) -> None:
    await p.mint()
    made = pending(await p.claim("acme"))
    ended = await p.verb(lambda tx: withdraw(tx, made, actor="of acme", now=p.now))
    assert ended.state is ClaimState.WITHDRAWN
    assert (await p.device()).ownership is Ownership.UNOWNED
    with pytest.raises(HomeportError) as caught:
        await p.verb(lambda tx: withdraw(tx, ended, actor="of acme", now=p.now))
    assert caught.value.code is Code.TRANSITION_ILLEGAL
    pending(await p.claim("other"))


@on_platform
async def test_own_pending_claims_are_listed(p: Platform) -> None:
    await p.mint()
    await p.mint(OTHER)
    ours, theirs = pending(await p.claim()), pending(await p.claim("other", device="EX-000018"))
    for tenant, found in (("acme", [ours]), ("other", [theirs]), (None, [ours, theirs])):

        def page(tx: Transaction, tenant: str | None = tenant) -> Awaitable[Sequence[Claim]]:
            return tx.claims.page(tenant, after=None, limit=10)

        assert sorted(await p.verb(page), key=str) == sorted(found, key=str)


@on_platform
async def test_presence_beats_a_pending_claim(p: Platform) -> None:
    await p.mint()
    squatting = pending(await p.claim("other"))
    there = await p.device()
    await p.verb(lambda tx: show_presence(tx, there, "acme", actor="ann", now=p.now))
    owned = await p.device()
    assert (owned.tenant, owned.ownership, owned.proof) == ("acme", Ownership.OWNED, Proof.PRESENCE)
    lost = await p.verb(lambda tx: tx.claims.get(squatting.id))
    assert lost is not None
    assert lost.state is ClaimState.OVERRULED
    assert [e.tenant for e in await told(p) if e.name is Name.CLAIM_OVERRULED] == ["other"]
    assert refused(await p.claim("other")) is Code.CLAIM_REFUSED


@on_platform
async def test_presence_confirms_ones_own_claim_and_beats_no_owner(p: Platform) -> None:
    await p.mint()
    made = pending(await p.claim("acme"))
    there = await p.device()
    await p.verb(lambda tx: show_presence(tx, there, "acme", actor="ann", now=p.now))
    kept = await p.verb(lambda tx: tx.claims.get(made.id))
    assert kept is not None
    assert kept.state is ClaimState.CONFIRMED
    owned = await p.device()
    with pytest.raises(HomeportError) as caught:
        await p.verb(lambda tx: show_presence(tx, owned, "other", actor="bob", now=p.now))
    assert caught.value.code is Code.DEVICE_CONFLICT


@on_platform
async def test_neither_code_nor_presence_beats_a_sale_to_somebody_else(p: Platform) -> None:
    await p.mint()
    await p.sell("EX-000099,acme")
    await p.verb(lambda tx: tx.audit.last())
    await p.sell("EX-000017..EX-000018,acme")
    owned = await p.device()
    assert owned.tenant == "acme"
    await p.mint(OTHER)  # sold before it was registered
    assert refused(await p.claim("other", device="EX-000018")) is Code.CLAIM_TAKEN
    there = await p.device(OTHER)
    with pytest.raises(HomeportError) as caught:
        await p.verb(lambda tx: show_presence(tx, there, "other", actor="bob", now=p.now))
    assert caught.value.code is Code.SALES_CONFLICT
    pending(await p.claim("acme", device="EX-000018"))


@on_platform
async def test_an_assignment_confirms_a_claim_of_its_tenant_and_names_another_one(
    p: Platform,
) -> None:
    await p.mint()
    await p.claim("acme")
    claimed = await p.device()
    with pytest.raises(HomeportError, match="claimed by acme") as caught:
        await p.verb(lambda tx: assign(tx, claimed, "other", None, actor="op", now=p.now))
    assert caught.value.code is Code.DEVICE_CONFLICT
    await p.verb(lambda tx: assign(tx, claimed, "acme", None, actor="op", now=p.now))
    assert (await p.device()).proof is Proof.ASSIGNMENT
    assert await p.verb(lambda tx: tx.claims.pending(DEVICE)) is None


@on_platform
async def test_a_fresh_code_replaces_the_labels(p: Platform) -> None:
    await p.mint()
    device = await p.device()
    fresh = await p.verb(lambda tx: make_code(tx, device, actor="op", now=p.now))
    assert len(fresh) == CLAIM_CODE_LENGTH
    assert refused(await p.claim(code=CODE)) is Code.CLAIM_REFUSED
    pending(await p.claim(code=fresh))
    assert fresh not in str(await told(p))


@pytest.mark.parametrize("text", ["", "\x00", "a\nb", "x" * 257])
def test_what_is_no_serial_number_is_refused_and_not_recorded(text: str) -> None:
    @on_platform
    async def run(p: Platform) -> None:
        with pytest.raises(MalformedError):
            await p.claim(device=text)
        assert Name.CLAIM_REFUSED not in {e.name for e in await told(p)}

    run()


@pytest.mark.parametrize("code", ["", "short", "ÄÖÜ" * 7, "0" * 21, "%s" * 10])
def test_what_is_no_code_is_malformed(code: str) -> None:
    @on_platform
    async def run(p: Platform) -> None:
        await p.mint()
        with pytest.raises(MalformedError) as caught:
            await p.claim(code=code)
        assert code not in caught.value.detail or not code

    run()


@on_platform
async def test_the_ledger_tells_who_when_by_what_proof(p: Platform) -> None:
    await p.mint()
    await p.claim()
    await p.ask()
    device = await p.device()
    entries = await p.verb(lambda tx: ledger(tx, device))
    assert [(e.kind, e.proof, e.epoch, e.tenant) for e in entries] == [
        ("manufactured", Proof.MANIFEST, 0, None),
        ("claimed", Proof.CLAIM_CODE, 0, "acme"),
        ("claim-confirmed", Proof.CLAIM_CODE, 1, "acme"),
    ]
    assert [e.actor for e in entries[1:]] == ["of acme", "device"]
    assert entries[1].seen_by(["acme"]) == entries[1] == entries[1].seen_by(None)
    hidden = entries[1].seen_by(["other"])
    assert (hidden.kind, hidden.actor, hidden.tenant, hidden.story) == ("claimed", None, None, "–")
