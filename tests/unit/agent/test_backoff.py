# SPDX-License-Identifier: Apache-2.0
"""Rests grow, are jittered, and end at a ceiling."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from homeport.agent.backoff import Backoff

SECOND = timedelta(seconds=1)


def longest(_low, high):
    return high


def test_waits_double_up_to_the_ceiling_and_begin_again():
    backoff = Backoff(SECOND, 10 * SECOND, longest)
    assert [backoff.next() / SECOND for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    backoff.reset()
    assert backoff.next() == SECOND


def test_who_was_refused_begins_at_the_ceiling():
    backoff = Backoff(SECOND, 10 * SECOND, longest)
    assert backoff.longest() == backoff.next() == 10 * SECOND


@given(st.integers(1, 60), st.integers(0, 20))
def test_jitter_takes_at_most_half(first, rounds):
    backoff, plain = (Backoff(first * SECOND, 600 * SECOND, *u) for u in ((), (longest,)))
    for _ in range(rounds):
        wait, whole = backoff.next(), plain.next()
        assert whole / 2 <= wait <= whole
