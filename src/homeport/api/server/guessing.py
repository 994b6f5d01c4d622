# SPDX-License-Identifier: Apache-2.0
"""How patient the door is with wrong claim codes."""

from typing import Final

from homeport.clock import Clock
from homeport.http.guesses import Guesses, Patience

SOURCE_FREE: Final = 100
"""Tries of one address before the first pause: a whole site with its installers may share it."""


class ClaimGuesses:
    """Counts tries by caller, wherever it asks from, and, far more patiently, by source."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nobody suspected."""
        self._callers = Guesses(clock)
        self._sources = Guesses(clock, Patience(free=SOURCE_FREE))

    def begin(self, caller: str, source: str) -> None:
        """Count a try, or raise TOO_MANY_REQUESTS."""
        self._callers.begin(caller)
        self._sources.begin(source)

    def give_back(self, caller: str, source: str) -> None:
        """It was no guess: the code was right. What was guessed before still counts."""
        self._callers.give_back(caller)
        self._sources.give_back(source)
