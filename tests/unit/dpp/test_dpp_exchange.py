# SPDX-License-Identifier: Apache-2.0
"""Exchanges that go well: both roles, whoever speaks first; and the tables that they follow."""

import pytest

from fakes.dpp_sides import PASSPHRASE, REQUEST, new_key, new_signer, with_connector
from fakes.dpp_talk import WIFI, talk
from homeport.errors import Code, HomeportError, MalformedError
from homeport.protocols import dpp
from homeport.protocols.dpp.exchange import enrollee as enrollees
from homeport.protocols.dpp.exchange.fragments import COMEBACKS_MAX, Fragments, cut
from homeport.protocols.dpp.exchange.states import (
    ENROLLEE,
    INITIATOR,
    REQUESTS_MAX,
    RESPONDER,
    Machine,
    Move,
)
from homeport.protocols.dpp.wire.frames import (
    ComebackRequest,
    ComebackResponse,
    GasResponse,
    write_frame,
)

BOTH_WAYS = pytest.mark.parametrize("is_device_labelled", [True, False])
State = dpp.State


@BOTH_WAYS
def test_from_the_first_frame_to_the_last(is_device_labelled):
    it = talk(is_device_labelled=is_device_labelled)
    it.authenticate()
    asked = it.ask()
    assert asked.request == REQUEST
    configured = it.configure()
    network = configured.objects[0].network
    assert network is not None
    assert network.credential.passphrase is not None
    assert network.credential.passphrase.reveal() == PASSPHRASE
    assert it.accept() == dpp.Accepted(is_status_to_follow=False)
    assert it.enrollee.state is it.configurator.state is State.DONE
    assert len(it.frames) == 6


def test_a_connector_is_for_the_devices_protocol_key():
    it = talk()
    it.authenticate()
    asked = it.ask()
    object_ = with_connector(new_signer(), asked.access_key)
    event = it.say(it.configurator.answer((object_, WIFI)), it.enrollee).event
    assert isinstance(event, dpp.Configured)
    assert [each.network.credential.akms for each in event.objects if each.network] == [
        {dpp.Akm.DPP},
        {dpp.Akm.PSK},
    ]


def test_how_joining_went_is_told():
    it = talk()
    it.authenticate()
    it.ask()
    assert it.configure(is_status_wanted=True).is_status_wanted
    assert it.accept().is_status_to_follow
    assert it.configurator.state is State.JOINING
    status = dpp.ConnectionStatus(
        result=dpp.Status.NO_ACCESS_POINT, ssid=b"\xff\x00", channels="81/1,6", third_party={"a": 1}
    )
    event = it.say(it.enrollee.report(status), it.configurator).event
    assert event == dpp.Joined(status)


def test_a_configuration_that_is_not_taken():
    it = talk()
    it.authenticate()
    it.ask()
    it.configure(is_status_wanted=True)
    with pytest.raises(HomeportError) as failure:
        it.say(it.enrollee.reject(), it.configurator)
    assert failure.value.code is Code.DPP_REFUSED
    assert it.enrollee.state is State.DONE
    assert it.configurator.state is State.FAILED


def test_a_configurator_who_needs_time():
    it = talk()
    it.authenticate()
    it.ask()
    for _ in range(3):
        event = it.say(it.configurator.postpone(500), it.enrollee).event
        assert event == dpp.Postponed(0.512)
        asked = it.say(it.enrollee.come_back(), it.configurator).event
        assert isinstance(asked, dpp.Asked)
        assert asked.request == REQUEST
    it.configure()
    it.accept()


def test_coming_back_has_an_end():
    it = talk()
    it.authenticate()
    it.ask()
    for _ in range(COMEBACKS_MAX):
        it.say(it.configurator.postpone(1), it.enrollee)
        it.say(it.enrollee.come_back(), it.configurator)
    with pytest.raises(HomeportError) as failure:
        it.say(it.configurator.postpone(1), it.enrollee)
    assert failure.value.code is Code.DPP_LINK_LOST


def test_a_device_does_not_come_back_without_end():
    """Its own count does not bind a hostile one."""
    it = talk()
    it.authenticate()
    it.ask()
    again = write_frame(ComebackRequest(1))
    for _ in range(COMEBACKS_MAX):
        it.configurator.postpone(1)
        it.configurator.receive(again)
    it.configurator.postpone(1)
    with pytest.raises(HomeportError) as failure:
        it.configurator.receive(again)
    assert failure.value.code is Code.DPP_OUT_OF_ORDER


@BOTH_WAYS
@pytest.mark.parametrize("is_late", [False, True])
def test_a_configuration_in_fragments(is_device_labelled, is_late):
    it = talk(is_device_labelled=is_device_labelled, fragment_size=40)
    it.authenticate()
    it.ask()
    if is_late:
        it.say(it.configurator.postpone(), it.enrollee)
        it.say(it.enrollee.come_back(), it.configurator)
        step = it.say(it.configurator.answer((WIFI,)), it.enrollee)
    else:
        step = it.say(it.configurator.answer((WIFI,)), it.enrollee)
        assert step.event == dpp.Postponed(1.024e-3)
        step = it.say(it.enrollee.come_back(), it.configurator)
        step = it.say(step, it.enrollee)
    rounds = 0
    while not step.event:
        step = it.say(it.say(step, it.configurator), it.enrollee)
        rounds += 1
    assert isinstance(step.event, dpp.Configured)
    assert rounds == 3
    it.accept()
    assert it.enrollee.state is it.configurator.state is State.DONE


def test_fragments_come_in_order():
    fragments = Fragments()
    assert fragments.add(ComebackResponse(1, b"a", 0, has_more=True)) is None
    with pytest.raises(HomeportError) as failure:
        fragments.add(ComebackResponse(1, b"c", 2))
    assert failure.value.code is Code.DPP_OUT_OF_ORDER


def test_fragments_have_limits():
    fragments = Fragments()
    fragments.add(ComebackResponse(1, bytes(60_000), 0, has_more=True))
    with pytest.raises(HomeportError) as failure:
        fragments.add(ComebackResponse(1, bytes(60_000), 1, has_more=True))
    assert failure.value.code is Code.DPP_MALFORMED
    with pytest.raises(HomeportError):
        cut(1, bytes(129), 1)
    whole = Fragments()
    assert [whole.add(each) for each in cut(1, bytes(128), 1)][-1] == bytes(128)


def test_a_device_is_asked_for_more():
    it = talk()
    it.authenticate()
    it.ask()
    challenge = dpp.Challenge(nonce="abc", tenant="acme", url="https://p.example/r")
    needed = dpp.ConfigurationObject(
        third_party=dpp.ProvisioningAnswer(challenge=challenge).write()
    )
    event = it.say(it.configurator.need(needed), it.enrollee).event
    assert isinstance(event, dpp.MoreNeeded)
    answer = dpp.ProvisioningAnswer.read(event.objects[0].third_party)
    assert answer is not None
    assert answer.challenge == challenge
    it.ask(dpp.ConfigurationRequest(name="again"))
    it.configure()
    it.accept()


def test_a_device_is_not_asked_for_more_without_end():
    it = talk()
    it.authenticate()
    for _ in range(REQUESTS_MAX):
        it.ask()
        it.say(it.configurator.need(WIFI), it.enrollee)
    with pytest.raises(HomeportError) as failure:
        it.enrollee.ask(REQUEST)
    assert failure.value.code is Code.DPP_OUT_OF_ORDER


def test_an_installer_does_not_answer_without_end(monkeypatch):
    """The device's own count does not bind a hostile one."""
    monkeypatch.setattr(enrollees, "REQUESTS_MAX", REQUESTS_MAX + 1)
    it = talk()
    it.authenticate()
    for _ in range(REQUESTS_MAX):
        it.ask()
        it.say(it.configurator.need(WIFI), it.enrollee)
    with pytest.raises(HomeportError) as failure:
        it.ask()
    assert failure.value.code is Code.DPP_OUT_OF_ORDER
    assert it.configurator.state is State.FAILED


@pytest.mark.parametrize("units", [0, 58_594, 70_000])
def test_a_delay_that_is_none_changes_nothing(units):
    it = talk()
    it.authenticate()
    it.ask()
    with pytest.raises(MalformedError):
        it.configurator.postpone(units)
    it.configure()


def test_objects_of_later_releases_are_passed_over():
    later = (
        b'{"wi-fi_tech":"map","discovery":{"ssid":"a"},"cred":{"akm":"psk","pass":"12345678"}}',
        b'{"wi-fi_tech":"infra","discovery":{"ssid":"a"},"cred":{"akm":"dot1x"}}',
    )
    it = talk()
    it.authenticate()
    it.ask()

    class Later(dpp.ConfigurationObject):
        def write(self) -> bytes:
            return bytes(self.third_party["octets"])

    objects = [*(Later(third_party={"octets": octets}) for octets in later), WIFI]
    event = it.say(it.configurator.answer(objects), it.enrollee).event
    assert isinstance(event, dpp.Configured)
    assert len(event.objects) == 1


@pytest.mark.parametrize("table", [(INITIATOR, ENROLLEE), (RESPONDER, ENROLLEE)])
def test_nothing_happens_that_is_not_in_the_tables(table):
    rows = {row for each in table for row in each}
    for state in State:
        for move in Move:
            machine = Machine(*table)
            machine.state = state
            if (state, move) in rows:
                machine.make(move)
                continue
            with pytest.raises(HomeportError) as failure:
                machine.make(move)
            assert failure.value.code is Code.DPP_OUT_OF_ORDER
            assert machine.state is state


@pytest.mark.parametrize("table", [(INITIATOR, ENROLLEE), (RESPONDER, ENROLLEE)])
def test_every_state_is_reached_and_left(table):
    rows = {row: after for each in table for row, after in each.items()}
    reached = {State.BEGINNING, *rows.values()}
    left = {state for state, _move in rows}
    assert reached == set(State)
    assert reached - left == {State.DONE, State.FAILED}


def test_calls_out_of_order():
    it = talk()
    calls = (
        lambda: it.enrollee.ask(REQUEST),
        it.enrollee.accept,
        it.enrollee.reject,
        it.enrollee.come_back,
        lambda: it.enrollee.report(dpp.ConnectionStatus()),
        lambda: it.configurator.answer((WIFI,)),
        lambda: it.configurator.need(WIFI),
        it.configurator.refuse,
        it.configurator.postpone,
    )
    for call in calls:
        with pytest.raises(HomeportError) as failure:
            call()
        assert failure.value.code is Code.DPP_OUT_OF_ORDER
    it.first.start()
    with pytest.raises(HomeportError):
        it.first.start()


def test_what_does_not_fit_changes_nothing():
    """The caller may try with less."""
    it = talk()
    it.authenticate()
    for size in (65_460, 70_000):
        large = {"com.example": "x" * size}
        with pytest.raises(HomeportError) as failure:
            it.enrollee.ask(dpp.ConfigurationRequest(name="a", third_party=large))
        assert failure.value.code is Code.TOO_LARGE
    it.ask()
    for size in (65_460, 70_000):
        object_ = dpp.ConfigurationObject(third_party={"com.example": "x" * size})
        with pytest.raises(HomeportError) as failure:
            it.configurator.answer((object_,))
        assert failure.value.code is Code.TOO_LARGE
    it.configure()
    it.accept()


def test_an_early_fragment():
    it = talk()
    it.authenticate()
    it.ask()
    with pytest.raises(HomeportError) as failure:
        it.enrollee.receive(write_frame(ComebackResponse(1, b"")))
    assert failure.value.code is Code.DPP_OUT_OF_ORDER


def test_a_postponed_answer_is_empty():
    it = talk()
    it.authenticate()
    it.ask()
    with pytest.raises(HomeportError) as failure:
        it.enrollee.receive(write_frame(GasResponse(1, b"a", comeback_delay=1)))
    assert failure.value.code is Code.DPP_MALFORMED


def test_secrets_do_not_print():
    it = talk()
    it.authenticate()
    it.ask()
    configured = it.configure()
    assert PASSPHRASE not in repr(configured)
    assert it.ke.hex() not in repr(it.enrollee._peer)
    assert repr(it.ke) not in repr(it.enrollee._peer)
    assert "PrivateKey" not in repr(it.enrollee._peer)


def test_a_key_agreement_of_another_place():
    """A token's key will do: what is asked of it is its public half and a secret."""
    inner = new_key()

    class Token:
        public_key = staticmethod(inner.public_key)
        exchange = staticmethod(inner.exchange)

    device = dpp.Enrollee(dpp.Responder(Token()))
    installer = dpp.Configurator(dpp.Initiator(inner.public_key()))
    answer = device.receive(installer.start().octets)
    assert isinstance(installer.receive(answer.octets).event, dpp.Authenticated)
