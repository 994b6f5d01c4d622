# SPDX-License-Identifier: Apache-2.0
"""A clock that the test turns."""

import asyncio
from datetime import UTC, datetime, timedelta

from homeport.clock import SystemClock


class TurnedClock:
    """The port `Clock`: stands still until it is turned, and wakes who slept long enough then."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)) -> None:
        self._now = now
        self._steady = 0.0
        self._turned = asyncio.Event()
        self.sleepers = 0
        """How many wait for a turn."""

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._steady

    async def sleep(self, duration: timedelta) -> None:
        end = self._steady + duration.total_seconds()
        self.sleepers += 1
        try:
            while self._steady < end:
                await self._turned.wait()
        finally:
            self.sleepers -= 1

    def turn(self, duration: timedelta) -> None:
        """Let time pass."""
        self._now += duration
        self._steady += duration.total_seconds()
        self._turned.set()
        self._turned = asyncio.Event()


class HastyClock(SystemClock):
    """The machine's time, but nobody waits: others only have their turn."""

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(0)


class SelfTurningClock(TurnedClock):
    """Whoever waits makes the time pass."""

    async def sleep(self, duration: timedelta) -> None:
        self.turn(duration)
