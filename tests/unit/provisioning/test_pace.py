# SPDX-License-Identifier: Apache-2.0
"""How much of an import goes into one transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from fakes.clock import SelfTurningClock
from homeport.provisioning.imports.pace import HELD, LARGEST, SMALLEST, Pace
from homeport.provisioning.ports import Transaction

Verb = Callable[[Transaction], Awaitable[Any]]


class SlowRegistry:
    """Takes its time before a transaction, for the lock, and after it, for the flush."""

    def __init__(self, clock: SelfTurningClock, lock: timedelta, flush: timedelta) -> None:
        self._clock, self._lock, self._flush = clock, lock, flush

    async def transact(self, verb: Verb) -> Any:
        self._clock.turn(self._lock)
        result = await verb(None)  # type: ignore[arg-type]
        self._clock.turn(self._flush)
        return result


def learnt(step: timedelta, *, lock: float = 0, flush: float = 0) -> Pace:
    """Return the pace after many transactions of such steps; waits are given in milliseconds."""
    clock = SelfTurningClock()
    waits = timedelta(milliseconds=lock), timedelta(milliseconds=flush)
    registry: Any = SlowRegistry(clock, *waits)
    pace = Pace(clock)

    async def run() -> None:
        for _ in range(30):
            steps = pace.steps

            async def verb(_: Transaction) -> str:
                clock.turn(step * steps)  # noqa: B023 - it is awaited in this very turn
                return "done"

            assert await pace.transact(registry, verb, steps) == "done"

    asyncio.run(run())
    return pace


def test_the_lock_is_held_as_long_as_it_may_be():
    step = timedelta(microseconds=40)
    pace = learnt(step)
    assert HELD * 0.9 < pace.steps * step <= HELD
    assert pace.longest <= HELD * 1.1


def test_a_flush_is_part_of_it_but_leaves_half_for_the_work():
    step = timedelta(microseconds=40)
    assert timedelta(milliseconds=6) < learnt(step, flush=3).steps * step <= HELD * 0.7
    slow = learnt(step, flush=80)
    assert HELD * 0.45 < slow.steps * step <= HELD / 2
    assert slow.longest >= timedelta(milliseconds=80)


def test_waiting_for_the_lock_holds_nobody_up():
    step = timedelta(microseconds=40)
    pace = learnt(step, lock=200)
    assert pace.steps == learnt(step).steps
    assert pace.longest < timedelta(milliseconds=50)


def test_there_is_a_least_and_a_most():
    assert learnt(timedelta(seconds=1)).steps == SMALLEST
    assert learnt(timedelta(0)).steps == LARGEST
