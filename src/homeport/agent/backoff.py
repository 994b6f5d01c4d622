# SPDX-License-Identifier: Apache-2.0
"""How long to rest before trying again: doubling, with jitter, up to a ceiling.

Jitter is half of the wait: after a power cut a whole site starts at the same second, and must not
ask in chorus for ever. Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015),
its "equal jitter".
"""

import random
from collections.abc import Callable
from datetime import timedelta


class Backoff:
    """A growing wait. Not shared between tasks."""

    def __init__(
        self,
        first: timedelta,
        ceiling: timedelta,
        # Not a secret: jitter only keeps devices from speaking in chorus.
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Take the first wait and the longest one."""
        self._first = first
        self._ceiling = ceiling
        self._uniform = uniform
        self._next = first

    def next(self) -> timedelta:
        """Return half to all of the next wait; the one after is twice as long."""
        wait = self._next
        self._next = min(wait * 2, self._ceiling)
        return self._jittered(wait)

    def longest(self) -> timedelta:
        """Return a wait at the ceiling, and stay there: for who was refused."""
        self._next = self._ceiling
        return self._jittered(self._ceiling)

    def reset(self) -> None:
        """Begin with the first wait again: something worked."""
        self._next = self._first

    def _jittered(self, wait: timedelta) -> timedelta:
        return wait * self._uniform(0.5, 1.0)
