# SPDX-License-Identifier: Apache-2.0
"""Pauses grow for who guesses, end for everybody, and are each key's own."""

from datetime import timedelta

import pytest

from fakes.clock import TurnedClock
from homeport.errors import Code, HomeportError
from homeport.http.guesses import Guesses, Patience

PATIENCE = Patience(free=3, pause=timedelta(seconds=5), longest=timedelta(seconds=30))


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def guesses(clock: TurnedClock) -> Guesses:
    return Guesses(clock, PATIENCE)


def pause(guesses: Guesses, key: object = "eve") -> float:
    with pytest.raises(HomeportError) as caught:
        guesses.begin(key)
    assert caught.value.code is Code.TOO_MANY_REQUESTS
    assert caught.value.retry_after is not None
    return caught.value.retry_after.total_seconds()


def spend(guesses: Guesses, count: int, key: object = "eve") -> None:
    for _ in range(count):
        guesses.begin(key)


def test_some_tries_are_free_and_then_pauses_double_up_to_a_limit(clock, guesses):
    spend(guesses, 3)
    seen = []
    for _ in range(6):
        seen.append(pause(guesses))
        clock.turn(timedelta(seconds=seen[-1]))
        guesses.begin("eve")
    assert seen == [5, 10, 20, 30, 30, 30]


def test_who_knocks_during_a_pause_does_not_make_it_longer(clock, guesses):
    spend(guesses, 3)
    for _ in range(100):
        assert pause(guesses) == 5
    clock.turn(timedelta(seconds=5))
    guesses.begin("eve")


def test_one_key_does_not_slow_another(guesses):
    spend(guesses, 3, ("eve", "here"))
    pause(guesses, ("eve", "here"))
    guesses.begin(("eve", "there"))


def test_a_right_guess_forgives(guesses):
    spend(guesses, 3)
    guesses.forgive("eve")
    guesses.forgive("nobody")
    spend(guesses, 3)
    assert pause(guesses) == 5


def test_after_a_day_it_begins_anew(clock, guesses):
    spend(guesses, 3)
    clock.turn(timedelta(hours=25))
    spend(guesses, 3)
    assert pause(guesses) == 5


def test_memory_is_bounded(clock):
    guesses = Guesses(clock, PATIENCE, capacity=10)
    for number in range(100):
        guesses.begin(number)
    assert len(guesses) == 10


def test_very_many_tries_do_not_overflow(clock, guesses):
    for _ in range(2000):
        clock.turn(timedelta(seconds=30))
        guesses.begin("eve")
    assert pause(guesses) == 30


def test_a_try_that_is_given_back_excuses_no_other(clock, guesses):
    spend(guesses, 2)
    for _ in range(10):
        guesses.begin("eve")
        guesses.give_back("eve")
    guesses.begin("eve")
    assert pause(guesses) == 5
    guesses.give_back("nobody")
