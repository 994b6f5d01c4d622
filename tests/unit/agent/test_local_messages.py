# SPDX-License-Identifier: Apache-2.0
"""What programs on the device may say, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.agent.local.messages import (
    PAYLOAD_MAX,
    encode,
    fault_of,
    matches,
    message_of,
    read_reply,
    read_request,
)
from homeport.errors import Code, HomeportError, MalformedError


def octets_of(line):
    publication = read_request(line).publish
    assert publication is not None
    return publication.octets()


@pytest.mark.parametrize(
    ("members", "octets"),
    [
        ({"payload": 21.5}, b"21.5"),
        ({"payload": {"a": [1, None]}}, b'{"a": [1, null]}'),
        ({"payload": None}, b"null"),
        ({"text": "grün"}, "grün".encode()),
        ({"base64": "AAH/"}, b"\x00\x01\xff"),
    ],
)
def test_a_payload_travels_as_it_was_given(members, octets):
    assert octets_of(json.dumps({"publish": {"channel": "c", **members}}).encode()) == octets


@pytest.mark.parametrize(
    "line",
    [
        b"", b"[]", b"{}", b"null", b'{"publish":null}', b'{"status":{},"reset":{}}',
        b'{"status":{"more":1}}', b'{"publish":{"payload":1}}', b'{"publish":{"channel":""}}',
        b'{"subscribe":5}', b'{"unknown":1}', b'{"publish":{"channel":"c","payload":1,"qos":2}}',
        b'{"publish":{"channel":"c","payload":1,"wait":-1}}', b"[" * 100_000, b"\xff\xfe",
    ],
)  # fmt: skip
def test_anything_else_is_refused(line):
    with pytest.raises(MalformedError):
        read_request(line)


@pytest.mark.parametrize("members", ["", ',"payload":1,"text":"a"', ',"text":"a","base64":"AA=="'])
def test_there_is_exactly_one_payload(members):
    with pytest.raises(MalformedError):
        octets_of(f'{{"publish":{{"channel":"c"{members}}}}}'.encode())


def test_a_payload_has_a_limit():
    octets_of(json.dumps({"publish": {"channel": "c", "text": "x" * PAYLOAD_MAX}}).encode())
    with pytest.raises(MalformedError):
        octets_of(
            json.dumps({"publish": {"channel": "c", "text": "x" * (PAYLOAD_MAX + 1)}}).encode()
        )


@given(st.binary(max_size=200))
def test_any_line_is_a_request_or_malformed(line):
    try:
        read_request(line)
    except MalformedError:
        return


@given(st.binary(max_size=200))
def test_any_message_from_the_upstream_is_one_line(octets):
    message = message_of("c", octets)
    line = encode(message)
    assert line.count(b"\n") == 1
    said = json.loads(line)
    if "text" in said:
        assert said["text"].encode() == octets
    elif "base64" not in said:
        assert said["payload"] == json.loads(octets)


@pytest.mark.parametrize(
    ("pattern", "channel", "is_wanted"),
    [
        ("a", "a", True), ("a", "b", False), ("#", "a/b", True), ("a/#", "a", True),
        ("a/#", "a/b/c", True), ("a/#", "ab", False), ("a", "a/b", False), ("+", "a", False),
    ],
)  # fmt: skip
def test_subscriptions(pattern, channel, is_wanted):
    assert matches(pattern, channel) is is_wanted


def test_an_error_is_told_with_its_advice():
    reply = read_reply(encode(fault_of(HomeportError(Code.UPSTREAM_UNREACHABLE, "no"))))
    assert reply.error is not None
    assert (reply.error.code, reply.error.detail) == ("upstream-unreachable", "no")
    assert reply.error.advice
