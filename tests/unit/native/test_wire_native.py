# SPDX-License-Identifier: Apache-2.0
"""The native protocol's messages: what is written can be read, and nothing else comes out."""

import json
from base64 import b64encode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import MalformedError
from homeport.protocols.native import wire

short = st.text(max_size=64)
named = st.text(min_size=1, max_size=64)
text = st.text(min_size=1, max_size=255)
octets = st.binary(min_size=1, max_size=300)
nonces = st.binary(min_size=16, max_size=64)
seconds = st.integers(0, 2**40)
waits = st.integers(0, wire.WAIT_MAX_SECONDS)
epochs = st.integers(0, 2**31 - 1)
request_ids = st.from_regex(r"\A[A-Za-z0-9_-]{16,64}\Z")
hashes = st.binary(min_size=32, max_size=32)

network = st.builds(
    wire.NetworkFacts,
    interface=short,
    mac=short,
    addresses=st.lists(short, max_size=16).map(tuple),
    source=short,
)
enrol_requests = st.builds(
    wire.EnrolRequest,
    version=st.just(1),
    request_id=request_ids,
    device_nonce=nonces,
    serial_number=named,
    model=named,
    csr=octets,
    agent=short,
    epoch=epochs,
    wait=waits,
    network=network,
)
renew_requests = st.builds(
    wire.RenewRequest,
    version=st.just(1),
    request_id=request_ids,
    device_nonce=nonces,
    csr=octets,
    agent=short,
    epoch=epochs,
)
endpoints = st.builds(
    wire.Endpoint,
    protocol=text,
    host=text,
    port=st.integers(1, 65535),
    path=short,
    anchors=st.lists(octets, max_size=2).map(tuple),
)
bound = {
    "version": st.integers(1, 9),
    "device_nonce": nonces,
    "request_hash": hashes,
    "time": seconds,
}
enrolled = st.builds(
    wire.Enrolled,
    **bound,
    device=text,
    tenant=text,
    upstream=text,
    epoch=epochs,
    certificate=st.lists(octets, min_size=1, max_size=6).map(tuple),
    renew_at=seconds,
    endpoints=st.lists(endpoints, min_size=1, max_size=3).map(tuple),
    topics=text,
    anchors=st.lists(octets, min_size=1, max_size=3).map(tuple),
)
parked = st.builds(
    wire.Parked,
    **bound,
    missing=text,
    detail=short,
    nonce=text,
    wait=waits,
    retry_after=seconds,
)
redirect = st.builds(wire.Redirect, **bound, url=text, voucher=octets)
greetings = st.builds(
    wire.Greeting,
    homeport=st.integers(1, 9),
    name=text,
    url=text,
    enrol=text,
    renew=text,
    nonce=text,
    time=seconds,
)
problems = st.builds(
    wire.Problem,
    type=short,
    title=short,
    status=st.integers(0, 599),
    code=short,
    advice=short,
    retry_after=st.none() | seconds,
)

READERS = (
    wire.read_enrol_request,
    wire.read_renew_request,
    wire.read_register_request,
    wire.read_answer,
    wire.read_greeting,
    wire.read_problem,
)


@given(enrol_requests)
def test_enrolment_requests_come_back(message):
    assert wire.read_enrol_request(wire.encode(message)) == message


@given(renew_requests)
def test_renewal_requests_come_back(message):
    assert wire.read_renew_request(wire.encode(message)) == message


@given(enrolled | parked | redirect)
def test_answers_come_back_as_what_they_are(message):
    again = wire.read_answer(wire.encode(message))
    assert again == message
    assert type(again) is type(message)


@given(greetings)
def test_greetings_come_back(message):
    assert wire.read_greeting(wire.encode(message)) == message


@given(problems)
def test_problems_come_back(message):
    assert wire.read_problem(wire.encode(message)) == message


@pytest.mark.parametrize("read", READERS)
@given(data=st.binary(max_size=200))
def test_any_octets_are_a_message_or_malformed(read, data):
    try:
        message = read(data)
    except MalformedError:
        return
    assert isinstance(message, msgspec.Struct)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
members = st.sampled_from(
    sorted(
        {
            name
            for kind in (wire.EnrolRequest, wire.Enrolled, wire.Parked, wire.Greeting, wire.Problem)
            for name in kind.__struct_fields__
        }
        | {"result"}
    )
)


@pytest.mark.parametrize("read", READERS)
@given(content=st.dictionaries(members, values, max_size=6))
def test_any_json_is_a_message_or_malformed(read, content):
    try:
        read(json.dumps(content).encode())
    except MalformedError:
        return


def request(**changes: object) -> bytes:
    content = {
        "version": 1,
        "request_id": "r" * 16,
        "device_nonce": b64encode(bytes(16)).decode(),
        "serial_number": "EX-000017",
        "model": "EX-100",
        "csr": b64encode(b"csr").decode(),
    }
    return json.dumps({**content, **changes}).encode()


def test_the_smallest_request_has_the_documented_defaults():
    message = wire.read_enrol_request(request())
    assert (message.epoch, message.wait, message.agent) == (0, 0, "")
    assert message.network == wire.NetworkFacts()


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"wait": 31},
        {"wait": -1},
        {"wait": 1.5},
        {"wait": True},
        {"epoch": 2**31},
        {"request_id": "r" * 15},
        {"request_id": "r" * 65},
        {"request_id": "r" * 16 + "\n"},
        {"request_id": "\n" + "r" * 16},
        {"request_id": "é" * 16},
        {"device_nonce": b64encode(bytes(15)).decode()},
        {"device_nonce": b64encode(bytes(65)).decode()},
        {"device_nonce": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"csr": "-_-_"},
        {"csr": ""},
        {"serial_number": ""},
        {"serial_number": None},
        {"model": "M" * 65},
        {"unknown": 1},
        {"network": {"unknown": 1}},
        {"network": []},
    ],
)
def test_a_request_is_read_strictly(changes):
    with pytest.raises(MalformedError):
        wire.read_enrol_request(request(**changes))


PARKED = wire.Parked(
    version=1,
    device_nonce=bytes(16),
    request_hash=bytes(32),
    time=0,
    missing="owner",
    detail="",
    nonce="n",
    wait=30,
    retry_after=2,
)


def test_answers_may_gain_members():
    """An older device reads what a newer platform writes."""
    answer = json.loads(wire.encode(PARKED))
    newer = json.dumps({**answer, "position": 7}).encode()
    assert wire.read_answer(newer) == PARKED


@pytest.mark.parametrize("result", ["enrolled", "redirect", "challenge", "", None, 1])
def test_an_answer_is_what_it_says(result):
    answer = {**json.loads(wire.encode(PARKED)), "result": result}
    with pytest.raises(MalformedError):
        wire.read_answer(json.dumps(answer).encode())


@pytest.mark.parametrize("read", READERS)
def test_what_is_too_large_is_not_looked_at(read):
    with pytest.raises(MalformedError):
        read(b" " * (wire.ANSWER_MAX_BYTES + 1))


@pytest.mark.parametrize("read", READERS)
def test_a_reader_does_not_run_out_of_stack(read):
    with pytest.raises(MalformedError):
        read(b'{"network":' * 20_000)
    with pytest.raises(MalformedError):
        read(b'{"version":' + b"[" * 100_000)
