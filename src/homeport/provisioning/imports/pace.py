# SPDX-License-Identifier: Apache-2.0
"""How much of a long job goes into one transaction, so that devices never wait for it.

The registry has one write lock. Who holds it for long keeps every enrolment waiting, and who takes
it again at once never lets the others have it.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from homeport.clock import Clock
from homeport.provisioning.ports import Registry, Transaction

Result = TypeVar("Result")

HELD: Final = timedelta(milliseconds=10)
"""Aimed at for one transaction; the promise is 50 ms, and a busy disk is sometimes slower."""

PAUSE: Final = timedelta(milliseconds=6)
"""After each: longer than the others wait between two tries."""

SMALLEST, LARGEST = 8, 2000
"""Steps in one transaction."""


class Pace:
    """Steps for the next transaction, learnt from how long the last one took."""

    def __init__(self, clock: Clock) -> None:
        """Begin small."""
        self._clock = clock
        self.steps = 64
        self.longest = timedelta(0)
        """How long the longest transaction held the lock, flush to the disk included."""

    async def transact(
        self, registry: Registry, verb: Callable[[Transaction], Awaitable[Result]], steps: int
    ) -> Result:
        """Run a verb of so many steps; then let others write."""
        now = self._clock.monotonic
        began = ended = now()

        async def timed(tx: Transaction) -> Result:
            nonlocal began, ended
            began = now()
            result = await verb(tx)
            ended = now()
            return result

        result = await registry.transact(timed)
        held, worked = (timedelta(seconds=end - began) for end in (now(), ended))
        self.longest = max(self.longest, held)
        # A slow flush (a busy disk) gets no faster by fewer steps: half of the time is theirs.
        room = max(HELD - (held - worked), HELD / 2)
        fit = steps * room / worked if worked else 2 * self.steps
        # Grows slowly, shrinks at once: the next transaction must not be the one that is too long.
        self.steps = int(max(SMALLEST, min(fit, self.steps * 1.5, LARGEST)))
        await self._clock.sleep(PAUSE)
        return result
