# SPDX-License-Identifier: Apache-2.0
"""Attributes, frames and the framing of the stream."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import MalformedError
from homeport.protocols.dpp.wire.attributes import read_attributes, write_attributes
from homeport.protocols.dpp.wire.framer import Framer, enclose
from homeport.protocols.dpp.wire.frames import (
    FRAME_MAX,
    ActionFrame,
    ComebackRequest,
    ComebackResponse,
    GasRequest,
    GasResponse,
    read_frame,
    write_frame,
)
from homeport.protocols.dpp.wire.vocabulary import AttributeId

OCTET, WORD = st.integers(0, 0xFF), st.integers(0, 0xFFFF)
QUERY = st.binary(max_size=300)
FRAMES = st.one_of(
    st.builds(ActionFrame, OCTET, QUERY),
    st.builds(GasRequest, OCTET, QUERY),
    st.builds(GasResponse, OCTET, QUERY, WORD, WORD),
    st.builds(ComebackRequest, OCTET),
    st.builds(ComebackResponse, OCTET, QUERY, st.integers(0, 127), st.booleans(), WORD, WORD),
)
NUMBERS = [each for each in AttributeId if each is not AttributeId.WRAPPED_DATA]
ATTRIBUTES = st.lists(st.tuples(st.sampled_from(NUMBERS), st.binary(max_size=40)), max_size=20)


@given(FRAMES)
def test_a_frame_is_read_as_it_was_written(frame):
    assert read_frame(write_frame(frame)) == frame


@given(st.binary())
def test_any_octets_are_a_frame_or_malformed(octets):
    for each in (octets, b"\x09" + octets, b"\x0b" + octets, b"\x0d" + octets):
        with suppress(MalformedError):
            read_frame(each)


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "0d",
        "09506f9a1a",
        "09506f9a1a02" + "00",  # another crypto suite
        "09506f9b1a0100",  # another OUI
        "0a016c087fdd05506f9a1b010000",  # another GAS protocol
        "0a016c087fdd05506f9a1a010100",  # a query that is cut short
        "0a016c087fdd05506f9a1a01000000",  # something behind
        "0c",
        "0c0100",
        "0e01",
    ],
)
def test_frames_that_are_refused(octets):
    with pytest.raises(MalformedError):
        read_frame(bytes.fromhex(octets))


def test_the_response_limit_of_gas_is_of_no_account():
    assert read_frame(bytes.fromhex("0a016c0800dd05506f9a1a010000")) == GasRequest(1, b"")


def test_what_is_too_large_is_not_written():
    with pytest.raises(MalformedError):
        write_frame(GasRequest(1, bytes(FRAME_MAX)))
    with pytest.raises(MalformedError):
        write_attributes((AttributeId.STATUS, bytes(0x10000)))


@given(ATTRIBUTES)
def test_attributes_are_read_as_they_were_written(attributes):
    read = read_attributes(write_attributes(*attributes))
    assert [(each.number, each.value) for each in read.found] == attributes
    for number in NUMBERS:
        assert read.every(number) == tuple(v for n, v in attributes if n is number)


@given(st.binary())
def test_any_octets_are_attributes_or_malformed(octets):
    with suppress(MalformedError):
        read_attributes(octets)


def test_attributes_of_later_releases_are_passed_over():
    read = read_attributes(
        bytes.fromhex("ff100100aa") + write_attributes((AttributeId.STATUS, b"\0"))
    )
    assert read.required(AttributeId.STATUS, 1) == b"\0"


def test_too_many_attributes():
    with pytest.raises(MalformedError):
        read_attributes(bytes.fromhex("ff100000") * 65)


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=6), st.data())
def test_frames_come_out_of_a_stream_in_any_pieces(frames, data):
    stream = b"".join(map(enclose, frames))
    found: list[bytes] = []
    framer, at = Framer(), 0
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream) - at))
        found += framer.feed(stream[at : at + size])
        at += size
    assert found == frames
    assert framer.is_between_frames


@pytest.mark.parametrize("length", [0, FRAME_MAX + 1, 2**32 - 1])
def test_lengths_that_are_refused_before_anything_is_kept(length):
    with pytest.raises(MalformedError):
        Framer().feed(length.to_bytes(4, "big"))


def test_the_longest_frame():
    framer = Framer()
    assert framer.feed(enclose(bytes(FRAME_MAX))) == (bytes(FRAME_MAX),)
    for frame in (b"", bytes(FRAME_MAX + 1)):
        with pytest.raises(MalformedError):
            enclose(frame)


def test_frames_before_junk_still_count():
    framer = Framer()
    assert framer.feed(enclose(b"frame") + b"GET / HTTP/1.1") == (b"frame",)
    with pytest.raises(MalformedError):
        framer.feed(b"\r\n")
