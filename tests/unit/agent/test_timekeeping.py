# SPDX-License-Identifier: Apache-2.0
"""When the clock is believed, and when it is stepped."""

from datetime import UTC, datetime, timedelta

import pytest

from fakes.clock import TurnedClock
from homeport.agent.timekeeping import BUILT, TOLERANCE, Timekeeper, is_synchronised

DAY = timedelta(days=1)
LATER = BUILT + 100 * DAY


class Steps(list[datetime]):
    pass


def keeper(now, *, signed=0, synchronised=False, permitted=True):
    clock, steps = TurnedClock(now), Steps()

    def step(instant):
        if not permitted:
            raise PermissionError(1, "Operation not permitted")
        steps.append(instant)
        clock.turn(instant - clock.now())

    made = Timekeeper(clock, signed, step=step, is_synchronised=lambda: synchronised)
    return made, steps


def test_a_clock_before_the_build_is_not_believed():
    made, _ = keeper(datetime(1971, 1, 1, tzinfo=UTC))
    assert made.trusted_now() is None
    assert made.floor == BUILT


def test_a_clock_before_the_last_signed_time_is_not_believed():
    made, _ = keeper(BUILT + DAY, signed=int(LATER.timestamp()))
    assert made.trusted_now() is None
    assert made.floor == LATER


def test_a_plausible_clock_is_believed():
    made, _ = keeper(LATER)
    assert made.trusted_now() == LATER


def test_a_wrong_clock_is_stepped_to_the_signed_time():
    made, steps = keeper(datetime(1971, 1, 1, tzinfo=UTC))
    made.learn(LATER)
    assert steps == [LATER]
    assert made.trusted_now() == LATER


def test_a_clock_that_lags_is_stepped_unless_a_time_service_keeps_it():
    for synchronised, expected in ((False, [LATER]), (True, [])):
        made, steps = keeper(LATER - DAY, synchronised=synchronised)
        made.learn(LATER)
        assert steps == expected


def test_a_clock_before_the_floor_is_stepped_even_if_a_time_service_says_it_is_right():
    made, steps = keeper(BUILT - DAY, synchronised=True)
    made.learn(LATER)
    assert steps == [LATER]


def test_the_clock_is_never_stepped_back_nor_for_minutes():
    for now in (LATER + 50 * DAY, LATER - TOLERANCE):
        made, steps = keeper(now)
        made.learn(LATER)
        assert steps == []


def test_a_doubted_clock_is_not_believed_until_it_was_set():
    made, steps = keeper(LATER - 30 * DAY, synchronised=True)
    made.is_doubted = True
    assert made.trusted_now() is None
    made.learn(LATER)
    assert steps == [LATER]
    assert made.trusted_now() == LATER


def test_a_clock_that_may_not_be_set_is_a_problem_with_words():
    made, _ = keeper(datetime(1971, 1, 1, tzinfo=UTC), permitted=False)
    made.learn(LATER)
    assert "1971" in made.problem
    assert "not permitted" in made.problem
    assert made.trusted_now() is None


def test_a_clock_that_the_settings_forbid_to_set_is_left_alone():
    clock = TurnedClock(datetime(1971, 1, 1, tzinfo=UTC))
    made = Timekeeper(clock, 0, step=None, is_synchronised=lambda: False)
    made.learn(LATER)
    assert "may not set it" in made.problem


def test_a_later_time_ends_the_problem():
    made, _ = keeper(datetime(1971, 1, 1, tzinfo=UTC), permitted=False)
    made.learn(LATER)
    made._clock.turn(LATER + DAY - made._clock.now())
    made.learn(LATER)
    assert made.problem == ""
    assert made.trusted_now() == LATER + DAY


def test_the_kernel_can_be_asked():
    assert is_synchronised() in {True, False}


@pytest.mark.parametrize("seconds", [0, 2**40])
def test_any_signed_time_is_a_floor(seconds):
    instant = min(seconds, 253_402_300_799)
    made, _ = keeper(LATER, signed=instant)
    assert made.floor >= BUILT


def test_what_another_owner_said_is_forgotten():
    made, _ = keeper(BUILT + DAY, synchronised=False)
    assert made.learn(LATER) == LATER
    made.forget(int((BUILT + DAY).timestamp()))
    assert made.floor == BUILT + DAY


def test_a_synchronised_clock_bounds_what_is_learnt():
    made, _ = keeper(BUILT + DAY, synchronised=True)
    assert made.learn(LATER) == BUILT + DAY
