# SPDX-License-Identifier: Apache-2.0
"""How often one source may ask: a token bucket per key, in bounded memory.

The bucket is kept as one number, the instant at which it will be full again (the "theoretical
arrival time" of GCRA, ITU-T I.371 annex A): a key costs a dictionary entry and no timer.

When there are more keys than `capacity`, the one that was idle for longest is forgotten and starts
with a full bucket. An attacker with that many addresses could have used a new one anyway; to refuse
unknown sources instead would lock good devices out at his pleasure.
"""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import timedelta
from typing import Final

from homeport.clock import Clock
from homeport.errors import Code, HomeportError

CAPACITY: Final = 65_536
"""Keys; 12 MB at most."""

ROUNDING: Final = 1e-6
"""Seconds; what floats lose. Without it the last of a burst, or who waited as told, is refused."""


class Throttle:
    """Lets each key do `burst` things at once and `rate` a second in the long run."""

    def __init__(self, *, rate: float, burst: int, clock: Clock, capacity: int = CAPACITY) -> None:
        """Take the rate in things a second, and how many may come at once (at least 1)."""
        if rate <= 0 or burst < 1 or capacity < 1:
            raise HomeportError(Code.SETTING_WRONG, "a rate and a burst are positive")
        self._interval = 1 / rate
        self._tolerance = burst / rate
        self._clock = clock
        self._capacity = capacity
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: Hashable, cost: float = 1) -> None:
        """Count `cost` things for the key, or raise TOO_MANY_REQUESTS with the time to wait.

        A refused one is not counted: who keeps asking too fast still gets the permitted rate.
        """
        now = self._clock.monotonic()
        full_at = max(self._full_at.get(key, now), now) + cost * self._interval
        wait = full_at - now - self._tolerance
        if wait > ROUNDING:
            if key in self._full_at:
                self._full_at.move_to_end(key)
            pause = timedelta(seconds=wait + ROUNDING)
            raise HomeportError(Code.TOO_MANY_REQUESTS, str(key), retry_after=pause)
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        self._forget(now)

    def _forget(self, now: float) -> None:
        """Drop two idle keys for each that is taken: the work stays even, and the store shrinks."""
        for _ in range(2):
            oldest = next(iter(self._full_at))
            if len(self._full_at) <= self._capacity and self._full_at[oldest] > now:
                return
            del self._full_at[oldest]
