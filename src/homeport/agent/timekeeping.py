# SPDX-License-Identifier: Apache-2.0
"""What time it is, for a device whose clock may never have been set (protocol section 6).

The floor is the latest of build time and last signed time. A clock before the floor is wrong for
certain; one that finds the platform's certificate "not yet valid" is wrong too. In both cases
dates are not looked at until an answer that the platform signed gave a lower bound; then the
clock is stepped forward, never back, before MQTT (which has no way around dates) is opened.
"""

import ctypes
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from homeport.clock import Clock

logger = logging.getLogger(__name__)

BUILT: Final = datetime(2026, 11, 23, tzinfo=UTC)
"""No agent of this version ran before; moved forward with each release."""

TOLERANCE: Final = timedelta(minutes=5)
"""A clock that is less behind is left alone: certificates are valid from some minutes earlier."""

_TIMEX_SIZE: Final = 208  # bytes of struct timex on 64-bit Linux; more than on 32-bit
_TIME_ERROR: Final = 5  # adjtimex(2): the clock is not synchronised


def step_system_clock(instant: datetime) -> None:
    """Set the machine's clock; raise PermissionError without CAP_SYS_TIME."""
    time.clock_settime(time.CLOCK_REALTIME, instant.timestamp())


def is_synchronised() -> bool:
    """Whether a time service keeps the clock right (adjtimex(2), asked by all of them)."""
    library = ctypes.CDLL(None, use_errno=True)
    state: int = library.adjtimex(ctypes.create_string_buffer(_TIMEX_SIZE))
    return 0 <= state < _TIME_ERROR


class Timekeeper:
    """Knows whether the clock can be right, and sets it when it is not."""

    def __init__(
        self,
        clock: Clock,
        signed_time: int,
        *,
        step: Callable[[datetime], None] | None,
        is_synchronised: Callable[[], bool] = is_synchronised,
    ) -> None:
        """Take the clock, the last signed time, and how to step the clock (None: never)."""
        self._clock = clock
        self._step = step
        self._is_synchronised = is_synchronised
        self.floor = max(BUILT, datetime.fromtimestamp(signed_time, UTC))
        self.is_doubted = False
        """Whether a proven platform's certificate begins later than our clock says it is."""
        self.problem = ""
        """Why the clock is wrong and stays so; empty if all is well."""

    def trusted_now(self) -> datetime | None:
        """The time, or None if the clock cannot be right."""
        now = self._clock.now()
        return None if self.is_doubted or now < self.floor else now

    def learn(self, signed: datetime) -> datetime:
        """Take a time that the platform signed: a lower bound. Step the clock if it is behind.

        Return what was believed of it.

        A clock that a time service keeps, and that nothing has shown to be wrong, is believed
        more than one platform.
        """
        now = self._clock.now()
        if self.trusted_now() is not None and self._is_synchronised():
            signed = min(signed, now)
        self.floor = max(self.floor, signed)
        if self.floor - now > TOLERANCE:
            self._set(self.floor)
        else:
            self.is_doubted = False
            self.problem = ""
        return signed

    def forget(self, signed_time: int) -> None:
        """Fall back to this signed time: what another owner's platform said went with him."""
        self.floor = max(BUILT, datetime.fromtimestamp(signed_time, UTC))

    def _set(self, instant: datetime) -> None:
        shown = f"{self._clock.now():%Y-%m-%d %H:%M} UTC"
        if self._step is None:
            self.problem = f"the clock says {shown}, and the agent may not set it"
        else:
            try:
                self._step(instant)
            except OSError as error:
                self.problem = f"the clock says {shown} and cannot be set: {error.strerror}"
        if self.problem:
            logger.error("%s; it is at least %s", self.problem, instant)
            return
        self.is_doubted = False
        logger.warning("the clock said %s; it was set to %s", shown, instant)
