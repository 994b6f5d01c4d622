# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import Code, HomeportError
from homeport.http.throttle import Throttle


class Turned:
    """A clock that stands until it is turned."""

    def __init__(self):
        self.seconds = 1000.0

    def monotonic(self):
        return self.seconds

    def now(self):
        raise AssertionError

    async def sleep(self, duration):
        raise AssertionError


@pytest.fixture
def clock():
    return Turned()


def refusal(throttle, key):
    with pytest.raises(HomeportError) as caught:
        throttle.take(key)
    assert caught.value.code is Code.TOO_MANY_REQUESTS
    assert caught.value.retry_after is not None
    return caught.value.retry_after.total_seconds()


def test_a_burst_and_then_the_rate(clock):
    throttle = Throttle(rate=2, burst=3, clock=clock)
    for _ in range(3):
        throttle.take("a")
    assert refusal(throttle, "a") == pytest.approx(0.5, abs=1e-5)
    clock.seconds += 0.5
    throttle.take("a")
    assert refusal(throttle, "a") == pytest.approx(0.5, abs=1e-5)


def test_keys_do_not_share(clock):
    throttle = Throttle(rate=1, burst=1, clock=clock)
    throttle.take("a")
    throttle.take("b")
    refusal(throttle, "a")


def test_refused_requests_do_not_lengthen_the_wait(clock):
    throttle = Throttle(rate=1, burst=1, clock=clock)
    throttle.take("a")
    waits = [refusal(throttle, "a") for _ in range(100)]
    assert waits == pytest.approx([1] * 100, abs=1e-5)
    clock.seconds += waits[0]
    throttle.take("a")


def test_waiting_as_told_is_enough(clock):
    throttle = Throttle(rate=3, burst=7, clock=clock)
    for _ in range(7):
        throttle.take("a")
    clock.seconds += refusal(throttle, "a")
    throttle.take("a")


def test_memory_is_bounded_and_given_back(clock):
    throttle = Throttle(rate=1, burst=5, clock=clock, capacity=100)
    for number in range(1000):
        throttle.take(number)
    assert len(throttle) == 100
    clock.seconds += 10
    for _ in range(60):
        throttle.take("the only one left")
        clock.seconds += 1
    assert len(throttle) == 1


def test_the_busy_key_is_not_forgotten_for_idle_ones(clock):
    throttle = Throttle(rate=1, burst=1, clock=clock, capacity=100)
    throttle.take("busy")
    for number in range(1000):
        throttle.take(number)
        refusal(throttle, "busy")


def test_settings_are_checked(clock):
    for wrong in ({"rate": 0, "burst": 1}, {"rate": 1, "burst": 0}):
        with pytest.raises(HomeportError):
            Throttle(**wrong, clock=clock)


@given(st.lists(st.floats(min_value=0, max_value=3), max_size=60), st.integers(1, 5))
def test_never_more_than_burst_and_rate(pauses, burst):
    clock = Turned()
    throttle = Throttle(rate=2, burst=burst, clock=clock)
    taken = 0
    for pause in pauses:
        clock.seconds += pause
        try:
            throttle.take("a")
        except HomeportError:
            continue
        taken += 1
        assert taken <= burst + 2 * (clock.seconds - 1000) + 1e-6
