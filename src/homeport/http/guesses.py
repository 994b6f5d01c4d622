# SPDX-License-Identifier: Apache-2.0
"""How often a secret may be guessed wrongly: pauses that grow, and end.

Unlike `Throttle`, which is even, this is kind to a typing error and hard on a guesser: some tries
are free, then each next one has to wait twice as long as the one before, up to a limit. Nothing is
ever locked for good. A try counts when it begins, not when it has failed: a hundred at the same
time are a hundred tries. A right guess forgives the earlier wrong ones of the same key; where one
who guesses can also be right at will, it gives back no more than itself.

Memory is bounded as in `Throttle`: when there are too many keys, the one idle for longest is
forgotten.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from homeport.clock import Clock
from homeport.errors import Code, HomeportError

CAPACITY: Final = 65_536
"""Keys; 20 MB at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How pauses grow."""

    free: int = 5
    """Tries before the first pause."""
    pause: timedelta = timedelta(seconds=5)
    """The first one; each next is twice as long."""
    longest: timedelta = timedelta(minutes=15)
    forgotten_after: timedelta = timedelta(hours=24)
    """Since the last try; then it begins anew."""


@dataclass(slots=True)
class _Tries:
    count: int
    last: float
    open_at: float


class Guesses:
    """Wrong guesses by key, for instance (account, source)."""

    def __init__(
        self, clock: Clock, patience: Patience = Patience(), *, capacity: int = CAPACITY
    ) -> None:
        """Take how pauses grow."""
        self._clock, self._patience, self._capacity = clock, patience, capacity
        self._tries: OrderedDict[Hashable, _Tries] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tries)

    def begin(self, key: Hashable) -> None:
        """Count a try, or raise TOO_MANY_REQUESTS with the time to wait; such a one does not count.

        (Else a stranger who keeps knocking would keep the door shut.)
        """
        now, patience = self._clock.monotonic(), self._patience
        tries = self._tries.get(key)
        if tries is None or now - tries.last > patience.forgotten_after.total_seconds():
            tries = self._tries[key] = _Tries(0, now, now)
        if now < tries.open_at:
            pause = timedelta(seconds=tries.open_at - now)
            raise HomeportError(Code.TOO_MANY_REQUESTS, "wrong guesses", retry_after=pause)
        tries.count += 1
        tries.last = now
        tries.open_at = now + self._pause_after(tries.count)
        self._tries.move_to_end(key)
        while len(self._tries) > self._capacity:
            self._tries.popitem(last=False)

    def _pause_after(self, count: int) -> float:
        patience = self._patience
        if count < patience.free:
            return 0.0
        doublings = min(count - patience.free, 30)
        longest = patience.longest.total_seconds()
        return min(patience.pause.total_seconds() * 2.0**doublings, longest)

    def give_back(self, key: Hashable) -> None:
        """Do not count one try: it was right; the wrong ones before it are not forgotten."""
        tries = self._tries.get(key)
        if tries is not None and tries.count > 0:
            tries.count -= 1
            tries.open_at = tries.last + self._pause_after(tries.count)

    def forgive(self, key: Hashable) -> None:
        """Forget the wrong ones: this one was right."""
        self._tries.pop(key, None)
