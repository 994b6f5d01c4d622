# SPDX-License-Identifier: Apache-2.0
"""The whole agent against a platform that speaks real HTTPS, and a broker that breaks on demand."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fakes.agents import quick_settings, running_agent, until
from fakes.awkward_platform import DAY, fake_site
from fakes.in_loop import in_loop
from fakes.uplink import FakeBroker
from homeport.agent.journey import State
from homeport.agent.legs import grant, operating
from homeport.keys import open_key
from homeport.pki.certificates import fingerprint, load_bundle, parse_certificate
from homeport.protocols.native.wire import Endpoint


@pytest.fixture
def site(tmp_path):
    with fake_site(tmp_path) as made:
        yield made


@pytest.fixture
def platform(site, monkeypatch):
    # Tests renew at once; `test_a_platform_cannot_have_it_renew_without_end` does not.
    monkeypatch.setattr(grant, "EARLIEST_RENEWAL", -100.0)
    return site[0]


@pytest.fixture
def settings(site, tmp_path):
    return quick_settings(tmp_path)


@pytest.fixture
def broker():
    return FakeBroker()


def renewed_once(platform, then=lambda answer: answer):
    """The first certificate is to be renewed at once, those after it are not."""

    def spoil(answer):
        platform.change(lifetime=90 * DAY, renew_after=60 * DAY, spoil=then)
        return answer

    return {"lifetime": DAY, "renew_after": -10 * DAY, "spoil": spoil}


def of(certificate):
    return fingerprint(parse_certificate(certificate))


@in_loop
async def test_a_device_comes_home_and_says_so(platform, settings, broker):
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        device = agent.agent.status().device
        assert broker.state_of(device)["state"] == "online"
        assert broker.state_of(device)["credential"] == of(agent.credential.certificate[0])
        assert broker.attempts[0].server_name == platform.name
        assert broker.attempts[0].host == "127.0.0.1", "dialled where the platform was reached"
    assert broker.state_of(device)["state"] == "offline"
    assert len(platform.enrolments) == len(platform.issued) == 1
    assert platform.connections == 1, "greeting and request share one connection"


@in_loop
async def test_after_a_restart_it_connects_without_asking_again(platform, settings, broker):
    for _ in range(2):
        async with running_agent(settings, broker) as agent:
            await agent.reaches(State.OPERATIONAL)
    assert len(platform.enrolments) == 1


@in_loop
async def test_a_parked_device_goes_on_when_the_fact_arrives(platform, settings, broker):
    platform.change(missing="owner", wait=30)
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.PARKED)
        assert agent.told.code == "owner"
        await until(lambda: len(platform.enrolments) == 2)
        assert [request.wait for request in platform.enrolments] == [0, 30]
        platform.change(missing=None)
        await agent.reaches(State.OPERATIONAL, seconds=2)
        assert agent.saved.told is None
    assert len({request.request_id for request in platform.enrolments}) == 1
    assert len({request.device_nonce for request in platform.enrolments}) == 2
    assert platform.connections == 1


@in_loop
async def test_an_old_nonce_is_replaced_at_once(platform, settings, broker):
    platform.change(stale_nonces=1)
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
    assert (platform.greeted, platform.connections) == (2, 1), "on the same connection"


@in_loop
async def test_a_lost_answer_is_asked_for_again_with_the_same_request(platform, settings, broker):
    platform.change(lose_answers=1)
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
    assert len(platform.enrolments) == 2
    assert len(platform.issued) == 1


@in_loop
async def test_a_refusal_is_said_and_tried_again_slowly(platform, settings, broker):
    platform.change(refusal=(403, "profile-refused"))
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.REFUSED)
        told = agent.told
        assert (told.code, told.title) == (
            "profile-refused", "The certificate request does not fit the profile."
        )  # fmt: skip
        platform.change(refusal=None)
        await agent.reaches(State.OPERATIONAL)


@in_loop
async def test_a_refusal_of_a_later_version_keeps_its_words(platform, settings, broker):
    platform.change(refusal=(403, "moon-phase-wrong"))
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.REFUSED)
        assert agent.told.code == "moon-phase-wrong"


@in_loop
async def test_a_busy_platform_is_waited_for(platform, settings, broker):
    platform.change(refusal=(503, "storage-unavailable"))
    async with running_agent(settings, broker) as agent:
        await until(lambda: len(platform.enrolments) >= 2)
        assert agent.state in {State.DISCOVERING, State.ENROLLING}
        platform.change(refusal=None)
        await agent.reaches(State.OPERATIONAL)


@in_loop
async def test_renewal_changes_the_key_and_drops_the_old_one(platform, settings, broker):
    platform.change(**renewed_once(platform))
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        await until(lambda: len(platform.renewals) == 1)
        await until(lambda: len(broker.attempts) == 2 and agent.state is State.OPERATIONAL)
        assert broker.connected[0].fingerprint == of(agent.credential.certificate[0])
        await until(lambda: agent.saved.retired == ())
        assert sorted(settings.state.joinpath("keys").iterdir()) == [
            settings.state / "keys" / agent.credential.key.rpartition("/")[2]
        ]
    assert len(platform.renewals) == 1
    assert not any('"offline"' in body.decode() for _, body in broker.messages[:-1])


@in_loop
async def test_a_platform_cannot_have_it_renew_without_end(platform, settings, broker, monkeypatch):
    monkeypatch.undo()
    platform.change(lifetime=DAY, renew_after=-10 * DAY)
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        left = agent.credential.renew_at - datetime.now(UTC).timestamp()
        assert abs(left - 12 * 3600) < 60


@in_loop
async def test_a_renewal_may_keep_the_key(platform, settings, broker, tmp_path):
    platform.change(**renewed_once(platform))
    async with running_agent(quick_settings(tmp_path, rekey=False), broker) as agent:
        await until(lambda: agent.saved.credential is not None)
        key = agent.credential.key
        await until(lambda: len(broker.attempts) == 2 and agent.state is State.OPERATIONAL)
        assert agent.credential.key == key
        assert (agent.saved.earlier, agent.saved.retired) == (None, ())
        open_key(key)


@in_loop
async def test_the_earlier_certificate_serves_while_the_new_one_is_refused(
    platform, settings, broker
):
    def refuse_the_new_one(answer):
        broker.refused.add(of(answer.certificate[0]))
        return answer

    platform.change(**renewed_once(platform, then=refuse_the_new_one))
    async with running_agent(settings, broker) as agent:
        await until(lambda: agent.saved.credential is not None)
        first = agent.saved.earlier or agent.credential
        await until(lambda: agent.saved.credential != first)
        await agent.reaches(State.OPERATIONAL)
        assert broker.connected[0].fingerprint == of(first.certificate[0])
        assert agent.saved.earlier == first
        open_key(first.key)


@in_loop
async def test_a_long_expired_certificate_is_renewed_before_connecting(platform, settings, broker):
    past = datetime.now(UTC) - 200 * DAY
    platform.change(clock=lambda: past, lifetime=DAY)
    async with running_agent(settings, broker) as agent:
        # The platform's clock and the device's differ: the LDevID is long expired here.
        await until(lambda: len(platform.renewals) >= 1)
        platform.change(clock=lambda: datetime.now(UTC), lifetime=90 * DAY)
        await agent.reaches(State.OPERATIONAL)
    assert len(platform.enrolments) == 1
    assert [a.certificate for a in broker.attempts] == [broker.attempts[0].certificate]


@in_loop
async def test_a_certificate_too_old_to_renew_sends_the_device_back_to_its_idevid(
    platform, settings, broker
):
    past = datetime.now(UTC) - 200 * DAY
    platform.change(clock=lambda: past, lifetime=DAY, renewal_refusal=(403, "certificate-expired"))
    async with running_agent(settings, broker) as agent:
        await until(lambda: len(platform.renewals) >= 1)
        platform.change(clock=lambda: datetime.now(UTC), lifetime=90 * DAY)
        await agent.reaches(State.OPERATIONAL)
    assert len(platform.enrolments) >= 2


@in_loop
async def test_a_failed_renewal_leaves_the_connection_alone(platform, settings, broker):
    platform.change(lifetime=DAY, renew_after=-10 * DAY, renewal_refusal=(503, "too-slow"))
    async with running_agent(settings, broker) as agent:
        await until(lambda: len(platform.renewals) >= 3)
        assert len(broker.attempts) == 1
        assert len({request.request_id for request in platform.renewals}) == 1
        platform.change(renewal_refusal=None, lifetime=90 * DAY, renew_after=60 * DAY)
        await until(lambda: len(broker.attempts) == 2)
        await agent.reaches(State.OPERATIONAL)


@in_loop
async def test_revocation_is_a_clear_state_and_a_readmission_ends_it(platform, settings, broker):
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        revoked = agent.credential
        broker.refused.add(of(revoked.certificate[0]))
        platform.change(
            refusal=(403, "credential-revoked"), renewal_refusal=(403, "credential-revoked")
        )
        broker.cut()
        await agent.reaches(State.REVOKED)
        assert agent.told.code == "credential-revoked"
        await until(lambda: len(platform.enrolments) >= 3)
        assert agent.state is State.REVOKED
        assert agent.saved.credential == revoked, "an unsigned problem makes it forget nothing"
        platform.change(refusal=None)
        await agent.reaches(State.OPERATIONAL)
        assert agent.credential.key != revoked.key
        await until(lambda: agent.saved.retired == ())
        kept = [f"file:{path}" for path in (settings.state / "keys").iterdir()]
        assert kept == [agent.credential.key]
    assert len(platform.renewals) == 1


@in_loop
async def test_a_revoked_device_remembers_it_over_a_restart(platform, settings, broker):
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        platform.change(
            refusal=(403, "credential-revoked"), renewal_refusal=(403, "credential-revoked")
        )
        broker.refused.add(of(agent.credential.certificate[0]))
        broker.cut()
        await agent.reaches(State.REVOKED)
    async with running_agent(settings, broker) as agent:
        await until(lambda: agent.agent.status().failures != ())
        assert agent.state is State.REVOKED


@in_loop
async def test_a_broker_that_is_away_is_tried_again(platform, settings, broker):
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        broker.is_away = True
        broker.cut()
        await until(lambda: len(broker.attempts) >= 3)
        broker.is_away = False
        await agent.reaches(State.OPERATIONAL)
        assert broker.state_of(agent.agent.status().device)["state"] == "online"
    assert platform.renewals == []


@in_loop
async def test_what_the_broker_cannot_keep_is_asked_for_again(platform, settings, broker):
    """After a renewal, too: `online` was said with the new certificate, and only that counts."""

    def fill_up(answer):
        broker.is_full = True
        return answer

    platform.change(**renewed_once(platform, then=fill_up))
    async with running_agent(settings, broker) as agent:
        await until(lambda: agent.saved.credential is not None)
        first = agent.saved.earlier or agent.credential
        await until(lambda: broker.is_full and len(broker.attempts) >= 4)
        shown = {fingerprint(load_bundle(each.certificate)[0]) for each in broker.attempts[-2:]}
        assert shown == {of(agent.credential.certificate[0])} != {of(first.certificate[0])}
        assert not agent.agent.status().is_held
        device = agent.agent.status().device
        await until(lambda: broker.state_of(device)["state"] == "offline")
        broker.is_full = False
        await agent.reaches(State.OPERATIONAL)
        assert broker.state_of(device)["state"] == "online"


@in_loop
async def test_an_attempt_that_hangs_is_given_up(platform, settings, broker, monkeypatch):
    monkeypatch.setattr(operating, "ATTEMPT_LIMIT", timedelta(milliseconds=50))
    broker.is_silent = True
    async with running_agent(settings, broker) as agent:
        await until(lambda: len(broker.attempts) >= 3)
        assert agent.agent.status().failures[-1].code == "upstream-unreachable"
        broker.is_silent = False
        await agent.reaches(State.OPERATIONAL)


@in_loop
async def test_quarantine_is_told_from_what_needs_no_keeping(platform, settings, broker):
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        assert not agent.agent.status().is_held
        broker.held.add(agent.agent.status().device)
        broker.cut()
        await until(lambda: agent.agent.status().is_held)
        broker.held.clear()
        broker.cut()
        await until(lambda: bool(broker.connected) and not agent.agent.status().is_held)


@in_loop
async def test_a_broker_that_moved_is_found_by_asking_the_platform(platform, settings, broker):
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        moved = (Endpoint(protocol="mqtt", host="elsewhere.test", port=1),)
        platform.change(endpoints=moved)
        broker.is_away = True
        broker.cut()
        await until(lambda: len(platform.renewals) >= 1)
        broker.is_away = False
        await agent.reaches(State.OPERATIONAL)
        assert broker.attempts[-1].host == "elsewhere.test"


@in_loop
async def test_the_wanted_transport_is_used(platform, broker, tmp_path):
    platform.change(
        endpoints=(
            Endpoint(protocol="mqtt", host=platform.name, port=8883),
            Endpoint(protocol="mqtt-websocket", host=platform.name, port=443, path="/mqtt"),
        )
    )
    async with running_agent(quick_settings(tmp_path, transport="mqtt-websocket"), broker) as agent:
        await agent.reaches(State.OPERATIONAL)
    assert [(a.port, a.websocket_path) for a in broker.attempts] == [(443, "/mqtt")]


@in_loop
async def test_the_next_endpoint_is_tried(platform, settings, broker):
    class Picky(FakeBroker):
        def open_uplink(self, settings):
            self.is_away = settings.port == 8883
            return super().open_uplink(settings)

    picky = Picky()
    platform.change(
        endpoints=(
            Endpoint(protocol="mqtt", host=platform.name, port=8883),
            Endpoint(protocol="mqtt-websocket", host=platform.name, port=443, path="/mqtt"),
        )
    )
    async with running_agent(settings, picky) as agent:
        await agent.reaches(State.OPERATIONAL)
        assert agent.agent.status().endpoint.startswith("mqtt-websocket://")
    assert picky.attempts[-1].port == 443


@in_loop
async def test_a_reset_forgets_the_owner_and_keeps_the_floor(platform, settings, broker):
    platform.change(epoch=7)
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        first = agent.credential
        platform.change(missing="owner")
        agent.agent.reset()
        await agent.reaches(State.PARKED)
        assert agent.saved.credential is None
        assert not broker.connected
        assert agent.tools.logbook.lifetime.epoch == 7
        assert platform.enrolments[-1].epoch == 7
        platform.change(missing=None)
        await agent.reaches(State.OPERATIONAL)
        assert agent.credential.key != first.key
    assert len(list((settings.state / "keys").iterdir())) == 1


@in_loop
async def test_an_answer_of_an_older_epoch_is_refused(platform, settings, broker):
    platform.change(epoch=7)
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        platform.change(epoch=6)
        agent.agent.reset()
        await until(lambda: any(f.code == "epoch-stale" for f in agent.agent.status().failures))
        assert agent.saved.credential is None


@in_loop
async def test_rotated_anchors_outlive_a_reset(platform, settings, broker, tmp_path):
    from fakes.awkward_platform import Authority
    from homeport.pki.certificates import der_of

    later = Authority(tmp_path / "later", "later root", platform.began)
    both = (der_of(platform.authority.certificate), der_of(later.certificate))
    platform.change(anchors=both)
    async with running_agent(settings, broker) as agent:
        await agent.reaches(State.OPERATIONAL)
        platform.use_tls(later, [platform.name])
        agent.agent.reset()
        await until(lambda: len(platform.enrolments) == 2)
        await agent.reaches(State.OPERATIONAL)


@in_loop
async def test_two_agents_do_not_share_a_state(settings):
    from homeport.agent.memory.store import locked
    from homeport.errors import Code, HomeportError

    with locked(settings.state):
        with pytest.raises(HomeportError) as caught, locked(settings.state):
            pass
        assert caught.value.code is Code.AGENT_RUNNING
    await asyncio.sleep(0)
