# SPDX-License-Identifier: Apache-2.0
"""Moments for faults to strike: what a fault test waits for is no condition, but any instant."""

import random
import time
from pathlib import Path

APPEAR_SECONDS = 30.0


def a_while(chance: random.Random, shortest: float, longest: float) -> None:
    """Let a random time pass, in seconds."""
    time.sleep(chance.uniform(shortest, longest))


def when_there(path: Path) -> None:
    """Return in the very moment that a file appears: ten times sooner than it is made."""
    end = time.monotonic() + APPEAR_SECONDS
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(str(path))
        time.sleep(0.0002)
