# SPDX-License-Identifier: Apache-2.0
"""Nonces: ours and fresh, or refused; whatever text comes."""

import base64
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import Code, HomeportError
from homeport.protocols.native.server.nonce import LIFETIME, Nonces

KEY = bytes(range(32))
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NONCES = Nonces(KEY)


def code_of(nonce: str | None, now: datetime = NOW, nonces: Nonces = NONCES) -> Code | None:
    try:
        nonces.check(nonce, now)
    except HomeportError as error:
        return error.code
    return None


def is_accepted(nonce: str | None, now: datetime = NOW, nonces: Nonces = NONCES) -> bool:
    code = code_of(nonce, now, nonces)
    assert code in {None, Code.NONCE_WRONG}
    return code is None


@pytest.mark.parametrize("age", [timedelta(), SECOND, LIFETIME / 2, LIFETIME])
def test_a_fresh_nonce_is_accepted(age):
    assert is_accepted(NONCES.make(NOW - age))


@pytest.mark.parametrize("age", [LIFETIME + SECOND, timedelta(days=400), timedelta(days=20_000)])
def test_an_old_nonce_is_refused(age):
    assert not is_accepted(NONCES.make(NOW - age))


def test_another_process_may_be_a_little_ahead():
    assert is_accepted(NONCES.make(NOW + 5 * SECOND))
    assert not is_accepted(NONCES.make(NOW + 6 * SECOND))


def test_processes_with_one_key_accept_each_others():
    assert is_accepted(Nonces(KEY).make(NOW), nonces=Nonces(KEY))


def test_another_platforms_nonce_is_refused():
    assert not is_accepted(Nonces(os.urandom(32)).make(NOW))


def test_a_nonce_may_be_used_until_it_is_old():
    """The protocol relies on the device's nonce and the request id, not on a list of used ones."""
    nonce = NONCES.make(NOW)
    assert is_accepted(nonce)
    assert is_accepted(nonce, NOW + LIFETIME)
    assert not is_accepted(nonce, NOW + LIFETIME + SECOND)


def test_no_two_nonces_are_equal():
    assert len({NONCES.make(NOW) for _ in range(1000)}) == 1000


@given(st.integers(0, 31), st.integers(1, 255))
def test_every_octet_counts(place, change):
    octets = bytearray(base64.urlsafe_b64decode(NONCES.make(NOW)))
    octets[place] ^= change
    assert not is_accepted(base64.urlsafe_b64encode(octets).decode())


@given(st.binary(max_size=24))
def test_an_altered_length_is_refused(tail):
    octets = base64.urlsafe_b64decode(NONCES.make(NOW))
    for altered in (octets[: len(octets) - len(tail)], octets + tail):
        if altered != octets:
            assert not is_accepted(base64.urlsafe_b64encode(altered).decode())


@given(st.none() | st.text() | st.binary().map(lambda b: base64.urlsafe_b64encode(b).decode()))
def test_whatever_text_comes_is_refused_in_one_way(text):
    assert not is_accepted(text)


def test_a_time_of_all_ones_is_refused():
    """A forger does not get as far as the time; an overflow there would be an error of ours."""
    nonces = Nonces(KEY)
    body = b"\xff" * 16
    forged = base64.urlsafe_b64encode(body + nonces._tag(body)).decode()
    assert not is_accepted(forged)
