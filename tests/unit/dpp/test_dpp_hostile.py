# SPDX-License-Identifier: Apache-2.0
"""Hostile peers, after hostap's own list of test cases: every attribute of every message missing,
cut short, or of another value; replays; others' keys; unknown versions; all status codes.

What is told about a failure is its code; nothing of it reaches the other side but where the
protocol has a message for it.
"""

import pytest

from fakes.dpp_sides import known_key, new_key
from fakes.dpp_talk import WIFI, Talk, talk, tamper
from homeport.errors import Code, HomeportError
from homeport.protocols import dpp
from homeport.protocols.dpp.exchange.schedule import first_key
from homeport.protocols.dpp.messages.configuration import ConfigurationResult, ResponseSecret
from homeport.protocols.dpp.points import key_hash, write_point
from homeport.protocols.dpp.wire.frames import ActionFrame, GasResponse, read_frame, write_frame
from homeport.protocols.dpp.wire.vocabulary import AttributeId as A

BOTH_WAYS = pytest.mark.parametrize("is_device_labelled", [True, False])
MALFORMED = {Code.DPP_MALFORMED}
UNPROVEN = {Code.DPP_PEER_UNPROVEN}
OFF_CURVE = bytes(63) + b"\x05"
OTHER_POINT = write_point(known_key(4713).public_key())


def refused(step) -> HomeportError:
    with pytest.raises(HomeportError) as failure:
        step()
    return failure.value


def bring(to, octets: bytes) -> HomeportError:
    """Bring octets to a side that has to refuse them, and see that it is over then."""
    failure = refused(lambda: to.receive(octets))
    assert to.state is dpp.State.FAILED
    again = refused(lambda: to.receive(octets))
    assert again.code in {Code.DPP_OUT_OF_ORDER, Code.DPP_MALFORMED, Code.DPP_KEY_UNKNOWN}
    return failure


REQUEST_OUTSIDE = [
    (A.RESPONDER_KEY_HASH, None, MALFORMED),
    (A.RESPONDER_KEY_HASH, bytes(31), MALFORMED),
    (A.RESPONDER_KEY_HASH, bytes(32), {Code.DPP_KEY_UNKNOWN}),
    (A.INITIATOR_KEY_HASH, None, MALFORMED),
    (A.INITIATOR_KEY_HASH, bytes(33), MALFORMED),
    (A.INITIATOR_PROTOCOL_KEY, None, MALFORMED),
    (A.INITIATOR_PROTOCOL_KEY, bytes(63), MALFORMED),
    (A.INITIATOR_PROTOCOL_KEY, OFF_CURVE, MALFORMED),
    (A.INITIATOR_PROTOCOL_KEY, bytes(64), MALFORMED),
    (A.INITIATOR_PROTOCOL_KEY, OTHER_POINT, UNPROVEN),
    (A.PROTOCOL_VERSION, b"", MALFORMED),
    (A.PROTOCOL_VERSION, b"\0", MALFORMED),
    (A.PROTOCOL_VERSION, b"\1", {Code.DPP_INCOMPATIBLE}),
    (A.PROTOCOL_VERSION, None, {Code.DPP_INCOMPATIBLE}),
    (A.CHANNEL, b"\1", MALFORMED),
]
REQUEST_INSIDE = [
    (A.INITIATOR_NONCE, None, MALFORMED),
    (A.INITIATOR_NONCE, bytes(15), MALFORMED),
    (A.INITIATOR_CAPABILITIES, None, MALFORMED),
    (A.INITIATOR_CAPABILITIES, b"", MALFORMED),
    (A.INITIATOR_CAPABILITIES, b"\0", {Code.DPP_INCOMPATIBLE}),
]


@BOTH_WAYS
@pytest.mark.parametrize(("attribute", "value", "codes"), REQUEST_OUTSIDE)
def test_authentication_request_outside(is_device_labelled, attribute, value, codes):
    it = talk(is_device_labelled=is_device_labelled)
    frame = it.first.start().frame
    assert bring(it.second, tamper(frame, it.k1, {attribute: value})).code in codes


@BOTH_WAYS
@pytest.mark.parametrize(("attribute", "value", "codes"), REQUEST_INSIDE)
def test_authentication_request_inside(is_device_labelled, attribute, value, codes):
    it = talk(is_device_labelled=is_device_labelled)
    frame = it.first.start().frame
    assert bring(it.second, tamper(frame, it.k1, inside={attribute: value})).code in codes


RESPONSE_OUTSIDE = [
    (A.STATUS, None, MALFORMED),
    (A.STATUS, b"", MALFORMED),
    (A.STATUS, b"\xfe", UNPROVEN),  # a refusal would be sealed with k1
    (A.RESPONDER_KEY_HASH, None, MALFORMED),
    (A.RESPONDER_KEY_HASH, bytes(32), UNPROVEN),
    (A.INITIATOR_KEY_HASH, bytes(31), MALFORMED),
    (A.INITIATOR_KEY_HASH, bytes(32), {Code.DPP_INCOMPATIBLE}),
    (A.RESPONDER_PROTOCOL_KEY, None, MALFORMED),
    (A.RESPONDER_PROTOCOL_KEY, bytes(65), MALFORMED),
    (A.RESPONDER_PROTOCOL_KEY, OFF_CURVE, MALFORMED),
    (A.RESPONDER_PROTOCOL_KEY, OTHER_POINT, UNPROVEN),
    (A.PROTOCOL_VERSION, b"\0", MALFORMED),
    (A.PROTOCOL_VERSION, None, {Code.DPP_INCOMPATIBLE}),
]
RESPONSE_INSIDE = [
    (A.RESPONDER_NONCE, None, MALFORMED),
    (A.RESPONDER_NONCE, bytes(17), MALFORMED),
    (A.RESPONDER_NONCE, bytes(16), UNPROVEN),  # another ke, so the tag cannot be opened
    (A.INITIATOR_NONCE, None, MALFORMED),
    (A.INITIATOR_NONCE, bytes(16), UNPROVEN),
    (A.RESPONDER_CAPABILITIES, None, MALFORMED),
    (A.RESPONDER_CAPABILITIES, b"\0", {Code.DPP_INCOMPATIBLE}),
    (A.RESPONDER_CAPABILITIES, b"\3", {Code.DPP_INCOMPATIBLE}),
    (A.WRAPPED_DATA, None, MALFORMED),
    (A.WRAPPED_DATA, bytes(16), MALFORMED),
    (A.WRAPPED_DATA, bytes(52), UNPROVEN),
]


def responded(is_device_labelled: bool) -> tuple[Talk, ActionFrame]:
    it = talk(is_device_labelled=is_device_labelled)
    step = it.say(it.first.start(), it.second)
    assert isinstance(step.frame, ActionFrame)
    return it, step.frame


@BOTH_WAYS
@pytest.mark.parametrize(("attribute", "value", "codes"), RESPONSE_OUTSIDE)
def test_authentication_response_outside(is_device_labelled, attribute, value, codes):
    it, frame = responded(is_device_labelled)
    assert bring(it.first, tamper(frame, it.k2, {attribute: value})).code in codes


@BOTH_WAYS
@pytest.mark.parametrize(("attribute", "value", "codes"), RESPONSE_INSIDE)
def test_authentication_response_inside(is_device_labelled, attribute, value, codes):
    it, frame = responded(is_device_labelled)
    assert bring(it.first, tamper(frame, it.k2, inside={attribute: value})).code in codes


@BOTH_WAYS
def test_the_responder_learns_why_its_tag_was_refused(is_device_labelled):
    it, frame = responded(is_device_labelled)
    failure = bring(it.first, tamper(frame, it.k2, inside={A.WRAPPED_DATA: bytes(52)}))
    assert isinstance(failure, dpp.DppError)
    told = refused(lambda: it.second.receive(failure.farewell))
    assert told.code is Code.DPP_REFUSED
    assert "AUTHENTICATION_FAILURE" in told.detail


CONFIRM_OUTSIDE = [
    (A.STATUS, None, MALFORMED),
    (A.STATUS, b"\xfe", UNPROVEN),  # a refusal would be sealed with k2
    (A.RESPONDER_KEY_HASH, None, MALFORMED),
    (A.RESPONDER_KEY_HASH, bytes(32), UNPROVEN),
    (A.INITIATOR_KEY_HASH, bytes(32), UNPROVEN),
]
CONFIRM_INSIDE = [
    (A.INITIATOR_TAG, None, MALFORMED),
    (A.INITIATOR_TAG, bytes(31), MALFORMED),
    (A.INITIATOR_TAG, bytes(32), UNPROVEN),
]


def confirmed(is_device_labelled: bool) -> tuple[Talk, ActionFrame]:
    it, frame = responded(is_device_labelled)
    step = it.first.receive(write_frame(frame))
    assert isinstance(step.frame, ActionFrame)
    return it, step.frame


@BOTH_WAYS
@pytest.mark.parametrize(("attribute", "value", "codes"), CONFIRM_OUTSIDE)
def test_authentication_confirm_outside(is_device_labelled, attribute, value, codes):
    it, frame = confirmed(is_device_labelled)
    assert bring(it.second, tamper(frame, it.ke, {attribute: value})).code in codes


@BOTH_WAYS
@pytest.mark.parametrize(("attribute", "value", "codes"), CONFIRM_INSIDE)
def test_authentication_confirm_inside(is_device_labelled, attribute, value, codes):
    it, frame = confirmed(is_device_labelled)
    assert bring(it.second, tamper(frame, it.ke, inside={attribute: value})).code in codes


def test_a_refusal_in_the_confirm_is_of_this_exchange():
    it, frame = confirmed(is_device_labelled=True)
    edits = {A.INITIATOR_TAG: None, A.RESPONDER_NONCE: bytes(16)}
    octets = tamper(frame, it.ke, {A.STATUS: b"\2"}, edits)
    assert bring(it.second, octets).code is Code.DPP_PEER_UNPROVEN, "sealed with ke, not with k2"


CONFIGURATION_REQUEST = [
    (A.ENROLLEE_NONCE, None, MALFORMED),
    (A.ENROLLEE_NONCE, bytes(15), MALFORMED),
    (A.CONFIGURATION_ATTRIBUTES, None, MALFORMED),
    (A.CONFIGURATION_ATTRIBUTES, b"", MALFORMED),
    (A.CONFIGURATION_ATTRIBUTES, b"[]", MALFORMED),
    (A.CONFIGURATION_ATTRIBUTES, b'{"name":"a","netRole":"sta"}', MALFORMED),
    (A.CONFIGURATION_ATTRIBUTES, b'{"name":7,"wi-fi_tech":"infra","netRole":"sta"}', MALFORMED),
    (A.CONFIGURATION_ATTRIBUTES, b"[" * 10_000, MALFORMED),
]


@BOTH_WAYS
@pytest.mark.parametrize(("attribute", "value", "codes"), CONFIGURATION_REQUEST)
def test_configuration_request(is_device_labelled, attribute, value, codes):
    it = talk(is_device_labelled=is_device_labelled)
    it.authenticate()
    frame = it.enrollee.ask(dpp.ConfigurationRequest(name="x")).frame
    octets = tamper(frame, it.ke, inside={attribute: value})
    assert bring(it.configurator, octets).code in codes


def test_a_device_learns_that_its_request_was_no_good():
    it = talk()
    it.authenticate()
    frame = it.enrollee.ask(dpp.ConfigurationRequest(name="x")).frame
    octets = tamper(frame, it.ke, inside={A.CONFIGURATION_ATTRIBUTES: b"{}"})
    failure = bring(it.configurator, octets)
    assert isinstance(failure, dpp.DppError)
    told = refused(lambda: it.enrollee.receive(failure.farewell))
    assert "CONFIGURE_FAILURE" in told.detail


CONFIGURATION_RESPONSE = [
    ({A.STATUS: None}, {}, MALFORMED),
    ({A.STATUS: b""}, {}, MALFORMED),
    ({A.STATUS: b"\xfe"}, {}, {Code.DPP_REFUSED}),
    ({}, {A.ENROLLEE_NONCE: None}, MALFORMED),
    ({}, {A.ENROLLEE_NONCE: bytes(16)}, UNPROVEN),
    ({}, {A.CONFIGURATION_OBJECT: None}, {Code.DPP_INCOMPATIBLE}),
    ({}, {A.CONFIGURATION_OBJECT: b""}, MALFORMED),
    ({}, {A.CONFIGURATION_OBJECT: b"{}"}, MALFORMED),
    ({}, {A.SEND_CONNECTION_STATUS: b"", A.CONFIGURATION_OBJECT: b"{"}, MALFORMED),
]


@BOTH_WAYS
@pytest.mark.parametrize(("outside", "inside", "codes"), CONFIGURATION_RESPONSE)
def test_configuration_response(is_device_labelled, outside, inside, codes):
    it = talk(is_device_labelled=is_device_labelled)
    it.authenticate()
    it.ask()
    frame = it.configurator.answer((WIFI,)).frame
    octets = tamper(frame, it.ke, outside, inside)
    assert bring(it.enrollee, octets).code in codes


def test_more_objects_than_anybody_needs():
    it = talk()
    it.authenticate()
    it.ask()
    step = it.configurator.answer((WIFI,) * 11)
    assert bring(it.enrollee, step.octets).code is Code.DPP_MALFORMED


@pytest.mark.parametrize("status", [s for s in dpp.Status if s not in (0, 12)])
def test_every_status_of_a_configuration_response(status):
    it = talk()
    it.authenticate()
    it.ask()
    step = it.configurator.refuse(status)
    assert it.configurator.state is dpp.State.FAILED
    failure = bring(it.enrollee, step.octets)
    assert failure.code is Code.DPP_REFUSED
    assert status.name in failure.detail


RESULT = [
    (A.STATUS, None, MALFORMED),
    (A.STATUS, b"\x09", {Code.DPP_REFUSED}),
    (A.STATUS, b"\xfe", {Code.DPP_REFUSED}),
    (A.ENROLLEE_NONCE, None, MALFORMED),
    (A.ENROLLEE_NONCE, bytes(16), UNPROVEN),
]


@BOTH_WAYS
@pytest.mark.parametrize(("attribute", "value", "codes"), RESULT)
def test_configuration_result(is_device_labelled, attribute, value, codes):
    it = talk(is_device_labelled=is_device_labelled)
    it.authenticate()
    it.ask()
    it.configure()
    frame = it.enrollee.accept().frame
    octets = tamper(frame, it.ke, inside={attribute: value})
    assert bring(it.configurator, octets).code in codes


CONNECTION_STATUS = [
    (A.ENROLLEE_NONCE, bytes(16), UNPROVEN),
    (A.CONNECTION_STATUS, None, MALFORMED),
    (A.CONNECTION_STATUS, b"{}", MALFORMED),
    (A.CONNECTION_STATUS, b'{"result":256}', MALFORMED),
    (A.CONNECTION_STATUS, b'{"result":0,"ssid64":"***"}', MALFORMED),
]


@pytest.mark.parametrize(("attribute", "value", "codes"), CONNECTION_STATUS)
def test_connection_status(attribute, value, codes):
    it = talk()
    it.authenticate()
    it.ask()
    it.configure(is_status_wanted=True)
    it.accept()
    frame = it.enrollee.report(dpp.ConnectionStatus()).frame
    octets = tamper(frame, it.ke, inside={attribute: value})
    assert bring(it.configurator, octets).code in codes


@BOTH_WAYS
def test_each_message_counts_once(is_device_labelled):
    """A replay of anything that was said ends the exchange, on both sides, at every point."""
    whole = talk(is_device_labelled=is_device_labelled)
    whole.authenticate()
    whole.ask()
    whole.configure(is_status_wanted=True)
    whole.accept()
    whole.say(whole.enrollee.report(dpp.ConnectionStatus()), whole.configurator)
    assert whole.enrollee.state is whole.configurator.state is dpp.State.DONE
    for frame in whole.frames:
        for side in (whole.enrollee, whole.configurator):
            assert refused(lambda: side.receive(write_frame(frame))).code is Code.DPP_OUT_OF_ORDER  # noqa: B023


@BOTH_WAYS
def test_messages_of_another_exchange_count_for_nothing(is_device_labelled):
    one, two = (talk(is_device_labelled=is_device_labelled) for _ in range(2))
    for each in (one, two):
        each.authenticate()
        each.ask()
    foreign = one.configurator.answer((WIFI,))
    assert bring(two.enrollee, foreign.octets).code is Code.DPP_PEER_UNPROVEN


def test_an_old_request_of_this_device_opens_nothing():
    """The answer to a recorded request is sealed for the one who made it."""
    key = new_key()
    recorded = dpp.Configurator(dpp.Initiator(key.public_key())).start()
    device = dpp.Enrollee(dpp.Responder(key))
    thief = dpp.Configurator(dpp.Initiator(key.public_key()))
    answer = device.receive(recorded.octets)
    thief.start()
    assert bring(thief, answer.octets).code is Code.DPP_PEER_UNPROVEN


def test_a_man_in_the_middle_with_a_key_of_his_own(monkeypatch):
    """He shows his own key to both; the label says which is right."""
    label, his = new_key(), new_key()
    installer = dpp.Configurator(dpp.Initiator(label.public_key()))
    request = installer.start()
    between = dpp.Enrollee(dpp.Responder(his))
    assert bring(between, request.octets).code is Code.DPP_KEY_UNKNOWN
    # He writes the right hash and answers as well as he can: he has not M.x.
    forged = dpp.Enrollee(dpp.Responder(his))
    for_his = forged._handshake
    monkeypatch.setattr(for_his, "_hash", key_hash(label.public_key()))
    assert bring(forged, request.octets).code is Code.DPP_PEER_UNPROVEN


def test_an_installer_who_only_knows_the_hash(monkeypatch):
    """What a device advertises does not let anybody speak to it."""
    label = new_key()
    stranger = dpp.Initiator(new_key().public_key())
    monkeypatch.setattr(stranger, "_peer_hash", key_hash(label.public_key()))
    request = dpp.Configurator(stranger).start()
    device = dpp.Enrollee(dpp.Responder(label))
    assert bring(device, request.octets).code is Code.DPP_PEER_UNPROVEN


def test_the_status_in_the_open_is_bound_to_what_is_sealed():
    it = talk()
    it.authenticate()
    it.ask()
    octets = bytearray(it.configurator.answer((WIFI,)).octets)
    at = octets.index(bytes.fromhex("00100100") + b"\x00") + 4
    octets[at] = 9
    assert bring(it.enrollee, bytes(octets)).code is Code.DPP_PEER_UNPROVEN


def test_nothing_may_follow_the_wrapped_data():
    it = talk()
    octets = it.first.start().octets
    failure = bring(it.second, octets + bytes.fromhex("0010010000"))
    assert failure.code is Code.DPP_MALFORMED


def test_an_attribute_twice():
    it = talk()
    frame = it.first.start().frame
    assert isinstance(frame, ActionFrame)
    doubled = bytes.fromhex("1910010002") * 2 + frame.attributes
    octets = write_frame(ActionFrame(frame.type, doubled))
    assert bring(it.second, octets).code is Code.DPP_MALFORMED


def test_a_response_in_place_of_the_confirm():
    it, frame = responded(is_device_labelled=True)
    assert bring(it.second, write_frame(frame)).code is Code.DPP_OUT_OF_ORDER


def test_a_configuration_before_anybody_was_authenticated():
    it = talk()
    secret = ResponseSecret(status=0, nonce=bytes(16), objects=(WIFI.write(),))
    octets = write_frame(GasResponse(0, secret.write(first_key(bytes(32)))))
    assert bring(it.enrollee, octets).code is Code.DPP_OUT_OF_ORDER
    other = talk()
    result = write_frame(ConfigurationResult(0, bytes(16)).write(bytes(32)))
    assert bring(other.configurator, result).code in {Code.DPP_OUT_OF_ORDER, Code.DPP_MALFORMED}


def test_an_answer_to_another_request():
    it = talk()
    it.authenticate()
    it.ask()
    frame = read_frame(it.configurator.answer((WIFI,)).octets)
    assert isinstance(frame, GasResponse)
    octets = write_frame(GasResponse(frame.token + 1, frame.query))
    assert bring(it.enrollee, octets).code is Code.DPP_OUT_OF_ORDER


def test_a_gas_status():
    it = talk()
    it.authenticate()
    it.ask()
    octets = write_frame(GasResponse(1, b"", status=59))
    assert bring(it.enrollee, octets).code is Code.DPP_REFUSED


@pytest.mark.parametrize("rounds", [1, 2])
def test_the_same_configuration_request_again(rounds):
    it = talk()
    it.authenticate()
    for _ in range(rounds):
        it.ask()
        it.say(it.configurator.need(WIFI), it.enrollee)
    replayed = write_frame(it.frames[3])
    assert bring(it.configurator, replayed).code is Code.DPP_OUT_OF_ORDER


def test_a_connector_for_another_devices_key():
    from fakes.dpp_sides import new_signer, with_connector

    it = talk()
    it.authenticate()
    it.ask()
    foreign = with_connector(new_signer(), new_key().public_key())
    failure = bring(it.enrollee, it.configurator.answer((foreign,)).octets)
    assert failure.code is Code.CONNECTOR_UNPROVEN
    assert isinstance(failure, dpp.DppError)
    told = refused(lambda: it.configurator.receive(failure.farewell))
    assert "CONFIGURATION_REJECTED" in told.detail
