# SPDX-License-Identifier: Apache-2.0
"""The journey with its memory: every step is on the disk before the agent acts on it."""

import logging
from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from homeport.agent.journey import Event, after
from homeport.agent.memory.records import Lifetime, Saved
from homeport.agent.memory.store import Store
from homeport.clock import Clock

logger = logging.getLogger(__name__)


class Logbook:
    """The present state, and the only way to change it."""

    def __init__(self, store: Store, clock: Clock, on_step: Callable[[], None]) -> None:
        """Take the store; `on_step` is called after each change of it."""
        self._store = store
        self._clock = clock
        self._on_step = on_step

    @property
    def saved(self) -> Saved:
        """What is on disk."""
        return self._store.saved

    @property
    def lifetime(self) -> Lifetime:
        """What is on disk and outlives a reset."""
        return self._store.lifetime

    def step(self, event: Event, **changes: object) -> None:
        """Go on in the journey and write it down, together with `changes` of `Saved`.

        Raise TRANSITION_ILLEGAL, STORAGE_UNAVAILABLE; then nothing has changed.
        """
        saved = self.saved
        following = after(saved.journey, event)
        if following is not saved.journey:
            changes |= {"journey": following, "since": self.now()}
            logger.info("%s: %s, now %s", event, saved.journey, following)
        self._store.save(replace(saved, **changes))
        self._on_step()

    def note(self, **changes: object) -> None:
        """Write changes down that are no step of the journey."""
        self._store.save(replace(self.saved, **changes))
        self._on_step()

    def raise_floor(
        self,
        *,
        epoch: int = 0,
        signed_time: datetime | None = None,
        anchors: tuple[bytes, ...] = (),
    ) -> None:
        """Write down what outlives a reset; before the step that follows from it."""
        held = self.lifetime
        self._store.save_lifetime(
            Lifetime(
                epoch=epoch,
                signed_time=int(signed_time.timestamp()) if signed_time else 0,
                anchors=anchors or held.anchors,
            )
        )

    def keep_time(self, signed: datetime, *, is_home: bool) -> None:
        """Write down a lower bound of the time: home's for life, another platform's until reset.

        An owner who could set it for life would shut all later ones out.
        """
        if is_home:
            self.raise_floor(signed_time=signed)
        elif signed.timestamp() > self.saved.signed_time:
            self.note(signed_time=int(signed.timestamp()))

    def now(self) -> int:
        """Seconds since 1970; wrong if the clock is."""
        return int(self._clock.now().timestamp())
