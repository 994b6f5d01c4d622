# SPDX-License-Identifier: Apache-2.0
"""The verbs of a device's first day: who gets a certificate, who waits, who is refused."""

import asyncio
import functools
from datetime import timedelta

import pytest

from fakes.verbs import DEVICE, OTHER, Platform, given, on_platform, refused
from homeport.domain.audit import Name
from homeport.domain.credential import CredentialState
from homeport.domain.enrolment import State
from homeport.domain.upstream import OURS
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning import decide
from homeport.provisioning.add_upstream import add_own_upstream, add_platform
from homeport.provisioning.enrolment.enrol import CANDIDATES_MAX
from homeport.provisioning.enrolment.outcome import Outcome
from homeport.provisioning.imports.sales import SalesFaultsError
from homeport.provisioning.policy import Policy, SecondKey
from homeport.provisioning.ports import StoredVoucher
from homeport.provisioning.renew import Renewed
from homeport.provisioning.revoke import readmit, revoke
from homeport.provisioning.waiting import WAKING


@on_platform
async def test_sold_before_first_contact_goes_straight_through(p: Platform) -> None:
    await p.sell("EX-000001..EX-000100,acme")
    outcome = await p.ask()
    assert isinstance(outcome, Outcome)
    assert (outcome.run.state, outcome.device.tenant, outcome.device.epoch) == (
        State.ISSUED,
        "acme",
        1,
    )
    assert await p.arrive(outcome)
    assert await p.state() is State.OPERATIONAL
    assert await p.names() == [
        Name.DEVICE_REGISTERED,
        Name.ENROLMENT_STARTED,
        Name.DEVICE_ASSIGNED,
        Name.CREDENTIAL_ISSUED,
        Name.ENROLMENT_COMPLETED,
    ]


@on_platform
async def test_unsold_waits_and_goes_on_when_it_is_sold(p: Platform) -> None:
    outcome = await p.ask()
    assert isinstance(outcome, Outcome)
    assert outcome.run.state is State.AWAITING_OWNER
    before = await p.names()
    await p.ask()
    assert await p.names() == before, "asking again while parked writes nothing"
    report = await p.sell("EX-000017,acme")
    assert (report.new, report.assigned) == (1, 1)
    outcome = await p.ask()
    assert given(outcome)
    assert Name.ENROLMENT_RESUMED in await p.names()


@on_platform
async def test_a_repeated_request_gets_the_same_certificate(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    first = given(await p.ask())
    assert given(await p.ask()) == first
    await p.arrive(await p.ask())
    assert given(await p.ask()) == first
    assert len(p.issuer.issued) == 1


@on_platform
async def test_an_expired_certificate_is_not_given_again(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    first = given(await p.ask())
    p.now += timedelta(days=91)
    assert given(await p.ask()) != first


@on_platform
async def test_a_second_key_waits_while_the_running_device_goes_on(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    running = await p.ask()
    await p.arrive(running)
    second = await p.ask(key="k2", request="r2")
    assert isinstance(second, Outcome)
    assert second.run.state is State.AWAITING_DECISION
    assert second.credential is None
    assert await p.state() is State.OPERATIONAL
    assert given(await p.ask()) == given(running), "the first key still counts"


@on_platform
async def test_an_accepted_second_key_takes_over_and_the_first_is_revoked(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    running = await p.ask()
    await p.arrive(running)
    await p.ask(key="k2", request="r2")
    device = await p.verb(lambda tx: tx.devices.get(DEVICE))
    assert device
    await p.verb(lambda tx: decide.accept(tx, device, actor="t", now=p.now))
    assert given(await p.ask(key="k2", request="r2")) != given(running)
    assert refused(await p.ask()) is Code.KEY_REVOKED
    credential = await p.verb(lambda tx: tx.credentials.get(given(running)))
    assert credential
    assert credential.state is CredentialState.REVOKED


@on_platform
async def test_a_refused_second_key_gets_nothing_now_and_later(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    await p.arrive(await p.ask())
    await p.ask(key="k2", request="r2")
    device = await p.verb(lambda tx: tx.devices.get(DEVICE))
    assert device
    await p.verb(lambda tx: decide.refuse(tx, device, actor="t", now=p.now))
    assert refused(await p.ask(key="k2", request="r2")) is Code.KEY_REVOKED
    assert await p.state() is State.OPERATIONAL


@on_platform
async def test_a_key_that_comes_while_a_person_decides_is_not_accepted_instead(
    p: Platform,
) -> None:
    await p.sell("EX-000017,acme")
    await p.arrive(await p.ask())
    await p.ask(key="aa-repaired", request="r2")
    await p.ask(key="bb-copy", request="r3")
    device = await p.verb(lambda tx: tx.devices.get(DEVICE))
    assert device
    for key in (None, "cc", ""):
        decision = functools.partial(decide.accept, device=device, key=key, actor="t", now=p.now)
        with pytest.raises(HomeportError) as caught:
            await p.verb(decision)
        assert caught.value.code is Code.TRANSITION_ILLEGAL
    await p.verb(lambda tx: decide.refuse(tx, device, key="bb", actor="t", now=p.now))
    await p.verb(lambda tx: decide.accept(tx, device, actor="t", now=p.now))
    given(await p.ask(key="aa-repaired", request="r2"))
    assert refused(await p.ask(key="bb-copy", request="r3")) is Code.KEY_REVOKED


@on_platform
async def test_a_copied_identity_cannot_fill_the_registry(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    await p.arrive(await p.ask())
    for n in range(CANDIDATES_MAX):
        await p.ask(key=f"c{n}", request=f"c{n}")
    assert refused(await p.ask(key="one-more", request="x")) is Code.DEVICE_CONFLICT


@on_platform
async def test_two_keys_before_any_certificate_end_in_a_decision(p: Platform) -> None:
    await p.ask(key="k1")
    await p.ask(key="k2", request="r2")
    back = await p.ask(key="k1")
    assert isinstance(back, Outcome)
    assert back.run.state is State.AWAITING_DECISION


def test_a_platform_may_accept_second_keys_by_policy() -> None:
    async def run() -> None:
        p = await Platform(policy=Policy(second_key=SecondKey.ACCEPT)).begin()
        await p.sell("EX-000017,acme")
        first = await p.ask()
        await p.arrive(first)
        assert given(await p.ask(key="k2", request="r2")) != given(first)
        assert refused(await p.ask()) is Code.KEY_REVOKED

    asyncio.run(run())


@on_platform
async def test_one_key_is_never_certified_for_two_devices(p: Platform) -> None:
    await p.sell("EX-000001..EX-000100,acme")
    await p.ask()
    assert refused(await p.ask(device=OTHER)) is Code.KEY_TAKEN
    assert Name.ENROLMENT_REFUSED in await p.names(OTHER)


@on_platform
async def test_another_idevid_for_a_known_serial_number_is_a_conflict(p: Platform) -> None:
    await p.ask()
    assert refused(await p.ask(idevid="i2", key="k2")) is Code.DEVICE_CONFLICT


@on_platform
async def test_revoked_stays_out_until_readmitted_and_then_needs_a_new_key(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    outcome = await p.ask()
    await p.arrive(outcome)
    device = await p.verb(lambda tx: tx.devices.get(DEVICE))
    assert device
    assert await p.verb(lambda tx: revoke(tx, device, "lost", actor="t", now=p.now)) == 1
    assert refused(await p.ask()) is Code.CREDENTIAL_REVOKED
    assert refused(await p.ask(key="k2", request="r2")) is Code.CREDENTIAL_REVOKED
    assert refused(await p.renew(given(outcome))) is Code.CREDENTIAL_REVOKED
    assert Name.RENEWAL_REFUSED in await p.names()
    await p.verb(lambda tx: readmit(tx, device, actor="t", now=p.now))
    assert refused(await p.ask()) is Code.KEY_REVOKED
    assert given(await p.ask(key="k2", request="r2"))


@on_platform
async def test_a_device_that_was_never_seen_can_be_barred(p: Platform) -> None:
    await p.mint()
    device = await p.device()
    await p.sell("EX-000017,acme")
    assert await p.verb(lambda tx: revoke(tx, device, "stolen", actor="t", now=p.now)) == 0
    assert Name.DEVICE_BARRED in await p.names()
    assert refused(await p.ask()) is Code.CREDENTIAL_REVOKED
    with pytest.raises(HomeportError) as failed:
        await p.verb(lambda tx: revoke(tx, device, "again", actor="t", now=p.now))
    assert failed.value.code is Code.TRANSITION_ILLEGAL
    for _ in range(2):  # barred and readmitted as often as people like
        await p.verb(lambda tx: readmit(tx, device, actor="t", now=p.now))
        await p.verb(lambda tx: revoke(tx, device, "again", actor="t", now=p.now))
    await p.verb(lambda tx: readmit(tx, device, actor="t", now=p.now))
    assert given(await p.ask())


@on_platform
async def test_a_parked_device_is_barred_and_hears_of_it(p: Platform) -> None:
    await p.ask()
    device = await p.device()
    await p.verb(lambda tx: revoke(tx, device, "stolen", actor="t", now=p.now))
    assert (await p.names())[-1] is Name.DEVICE_BARRED
    assert Name.DEVICE_BARRED in WAKING
    assert refused(await p.ask()) is Code.CREDENTIAL_REVOKED


@on_platform
async def test_renewal_gives_a_new_certificate_once_per_request(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    outcome = await p.ask()
    await p.arrive(outcome)
    p.now += timedelta(days=60)
    renewed = await p.renew(given(outcome), key="k2")
    again = await p.renew(given(outcome), key="k2")
    assert given(renewed) == given(again)
    old = await p.verb(lambda tx: tx.credentials.get(given(outcome)))
    assert old
    assert old.state is CredentialState.CURRENT, "a lost answer must lock nobody out"
    later = await p.ask(key="k2", request="r9")
    assert isinstance(later, Outcome)
    assert later.run.state is State.OPERATIONAL, "the renewed key is no second key"


@on_platform
async def test_renewal_when_long_expired_and_when_too_long(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    outcome = await p.ask()
    p.now += timedelta(days=90 + 364)
    assert given(await p.renew(given(outcome))) != given(outcome)
    p.now += timedelta(days=2)
    assert refused(await p.renew(given(outcome), request="n2")) is Code.CERTIFICATE_EXPIRED


@on_platform
async def test_a_replaced_certificate_neither_renews_nor_is_given_again(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    outcome = await p.ask()
    await p.arrive(outcome)
    renewed = await p.renew(given(outcome))
    assert isinstance(renewed, Renewed)
    await p.come_online(given(renewed))
    assert refused(await p.renew(given(outcome), request="n2")) is Code.CREDENTIAL_REPLACED
    assert given(await p.ask()) == given(renewed), "the one that counts is given"


@on_platform
async def test_a_key_has_one_certificate_whatever_the_request_is_called(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    certificates = {given(await p.ask(request=f"r{number}")) for number in range(50)}
    assert len(certificates) == len(p.issuer.issued) == 1


@on_platform
async def test_an_upstream_that_no_device_would_go_to_is_refused(p: Platform) -> None:
    for url in ("http://x", "https://x:99999", "https://x/?y", "ftp://x", "x"):
        add = functools.partial(add_platform, name="p7", url=url, anchor=b"x", actor="t")
        with pytest.raises(MalformedError):
            await p.verb(functools.partial(add, now=p.now))


@on_platform
async def test_an_upstream_elsewhere_needs_a_voucher_and_then_redirects(p: Platform) -> None:
    await p.verb(
        lambda tx: add_platform(
            tx, "plant7", url="https://plant7.example", anchor=b"x", actor="t", now=p.now
        )
    )
    await p.sell("EX-000017,acme,plant7", "serial_number,tenant,upstream")
    outcome = await p.ask()
    assert isinstance(outcome, Outcome)
    assert outcome.run.state is State.AWAITING_UPSTREAM
    voucher = StoredVoucher(device=DEVICE, upstream="plant7", epoch=1, voucher=b"v")
    await p.verb(lambda tx: tx.vouchers.put(voucher))
    for _ in range(2):
        outcome = await p.ask()
        assert isinstance(outcome, Outcome)
        assert outcome.run.state is State.REDIRECTED
        assert outcome.redirection
        assert outcome.redirection.voucher == b"v"
    assert not p.issuer.issued
    assert (await p.names()).count(Name.ENROLMENT_REDIRECTED) == 1


@on_platform
async def test_the_epoch_never_falls_behind_what_the_device_has_seen(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    outcome = await p.ask(epoch=7)
    assert isinstance(outcome, Outcome)
    assert outcome.credential
    assert outcome.credential.epoch == 7


@on_platform
async def test_sales_that_contradict_change_nothing(p: Platform) -> None:
    await p.sell("EX-000001..EX-000100,acme")
    with pytest.raises(SalesFaultsError) as caught:
        await p.sell("EX-000050..EX-000200,other")
    assert caught.value.code is Code.SALES_CONFLICT
    assert caught.value.faults[0].line == 2
    assert (await p.sell("EX-000001..EX-000100,acme")).new == 0


@pytest.mark.parametrize(
    "line", ["EX-1,nobody", "EX-1..FX-9,acme", ",acme", "EX-1,acme,extra", "EX-1,ACME"]
)
def test_wrong_lines_are_named(line: str) -> None:
    async def run() -> None:
        p = await Platform().begin()
        with pytest.raises(SalesFaultsError) as caught:
            await p.sell(line)
        assert [fault.line for fault in caught.value.faults] == [2]

    asyncio.run(run())


@on_platform
async def test_own_upstream_is_there_once(p: Platform) -> None:
    await p.verb(lambda tx: add_own_upstream(tx, now=p.now))
    assert [u.name for u in await p.verb(lambda tx: tx.upstreams.all())] == [OURS]
