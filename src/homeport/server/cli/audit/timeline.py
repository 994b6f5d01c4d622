# SPDX-License-Identifier: Apache-2.0
"""A timeline as people read it: the newest, and what happened again and again told once."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from homeport.domain.audit import AuditEvent
from homeport.domain.device import DeviceId
from homeport.provisioning.ports import Transaction

SHOWN_MAX: Final = 1000
"""Events; what came before them is counted."""


class Timeline(NamedTuple):
    """The newest events of a device, in order."""

    earlier: int
    """How many there are before them."""
    events: Sequence[AuditEvent]


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


async def read_timeline(tx: Transaction, device: DeviceId) -> Timeline:
    """Read the newest events of a device, in bounded memory."""
    newest: deque[AuditEvent] = deque(maxlen=SHOWN_MAX)
    count = cursor = 0
    while page := await tx.audit.of_device(device, after=cursor, limit=SHOWN_MAX):
        newest.extend(page)
        count, cursor = count + len(page), page[-1].cursor
    return Timeline(count - len(newest), list(newest))


def collapse(events: Iterable[tuple[datetime, str]]) -> Iterator[Line]:
    """Tell each run of the same story in one line."""
    for story, group in groupby(events, key=lambda event: event[1]):
        instants = [at for at, _ in group]
        yield Line(instants[0], story, len(instants), instants[-1])
