# SPDX-License-Identifier: Apache-2.0
"""A timeline as people read it: the newest, and what happened again and again told once."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from homeport.api.wire.devices import TimelineEvent

SHOWN_MAX: Final = 1000
"""Events; what came before them is counted."""


class Timeline(NamedTuple):
    """The newest events of a device, in order."""

    earlier: int
    """How many there are before them."""
    events: Sequence["TimelineEvent"]


class Line(NamedTuple):
    """One line: what happened, and maybe again and again without anything between."""

    at: datetime
    story: str
    times: int
    until: datetime

    def __str__(self) -> str:
        if self.times == 1:
            return self.story
        return f"{self.story} ({self.times} times, the last at {self.until:%Y-%m-%d %H:%M:%S})"


def newest(events: Iterable["TimelineEvent"]) -> Timeline:
    """Keep the newest events of a device, in bounded memory."""
    kept: deque[TimelineEvent] = deque(maxlen=SHOWN_MAX)
    count = 0
    for event in events:
        kept.append(event)
        count += 1
    return Timeline(count - len(kept), list(kept))


def collapse(events: Iterable[tuple[datetime, str]]) -> Iterator[Line]:
    """Tell each run of the same story in one line."""
    for story, group in groupby(events, key=lambda event: event[1]):
        instants = [at for at, _ in group]
        yield Line(instants[0], story, len(instants), instants[-1])
