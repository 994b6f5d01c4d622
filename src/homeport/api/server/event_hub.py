# SPDX-License-Identifier: Apache-2.0
"""One follower of the audit trail for all streams, and how many streams there may be.

The trail is looked at ten times a second, once for everybody; the newest events stay in memory for
those who are up to date. A stream has no queue: it is a cursor. Whoever is slow falls behind the
memory and reads from the registry, so nothing is lost and nobody costs more than a page.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final, NamedTuple

from homeport.clock import Clock
from homeport.domain.audit import AuditEvent, Wanted
from homeport.domain.people import Caller
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Registry, Transaction

LOOK_EVERY: Final = timedelta(milliseconds=100)
"""A browser shows what happened within a second of it."""

PAGE: Final = 500
"""Events read at once."""

RECENT: Final = 2000
"""Events kept in memory: half a second of a platform that enrols as fast as it can."""

OF_ONE_CALLER: Final = 8
"""Streams of one person or key: a browser opens six connections to one host."""

OF_ONE_ACCOUNT: Final = 32
"""Streams of one person together with all keys that the person answers for."""

OF_ONE_TENANT: Final = 200
"""Streams of all people and keys of one tenant: it shuts out no other one."""

OF_ALL: Final = 1000
"""Streams at once: each holds a connection that a device could have."""

_RETRY_AFTER: Final = timedelta(seconds=30)


class Told(NamedTuple):
    """An event, and whose its device is now."""

    event: AuditEvent
    owner: str | None


class Share(NamedTuple):
    """Who has a part of all streams."""

    whose: str
    """"caller", "account", "tenant"; "all"."""
    name: str = ""


_EVERYBODY: Final = Share("all")


def _shares(caller: Caller) -> Mapping[Share, int]:
    """Of what a caller's stream takes a part, and how much of it there is."""
    shares = {
        _EVERYBODY: OF_ALL,
        Share("caller", caller.actor): OF_ONE_CALLER,
    }
    if caller.answers is not None:
        shares[Share("account", caller.answers)] = OF_ONE_ACCOUNT
    if not caller.is_operator:
        shares |= {Share("tenant", tenant): OF_ONE_TENANT for tenant in caller.roles}
    return shares


class EventHub:
    """`follow` runs as a task; streams ask for what comes after their cursor."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        """Take the trail's registry."""
        self._registry, self._clock = registry, clock
        self._recent: deque[Told] = deque(maxlen=RECENT)
        self._begin: int | None = None
        """Cursor beyond which `_recent` has everything, up to `_end`; None: nobody listens."""
        self._end = 0
        self._news = asyncio.Event()
        self._streams: Counter[Share] = Counter()
        self._generation = 0

    @property
    def open(self) -> int:
        """How many streams are open."""
        return self._streams[_EVERYBODY]

    async def follow(self) -> None:
        """Run until cancelled."""
        version = -1
        while True:
            if not self.open:
                self._begin = None  # what nobody hears is not read
            else:
                seen = await self._registry.version()
                if self._begin is None or seen != version:
                    await self._catch_up()
                    version = seen
            await self._clock.sleep(LOOK_EVERY)

    @contextmanager
    def stream(self, caller: Caller) -> Iterator["Ticket"]:
        """Count a stream while it is open; TOO_MANY_REQUESTS if there are too many."""
        shares = _shares(caller)
        for share, limit in shares.items():
            if self._streams[share] >= limit:
                detail = f"{self._streams[share]} streams are open ({share.whose})"
                raise HomeportError(Code.TOO_MANY_REQUESTS, detail, retry_after=_RETRY_AFTER)
        self._streams.update(shares.keys())
        try:
            yield Ticket(self, self._generation)
        finally:
            self._streams.subtract(shares.keys())
            self._streams += Counter()  # forgets who has none

    def end_streams(self) -> None:
        """End all that are open now; their readers come back by themselves and miss nothing."""
        self._generation += 1
        self._wake()

    def is_ended(self, generation: int) -> bool:
        """Say whether streams of then have to end."""
        return generation != self._generation

    async def after(self, cursor: int, wanted: Wanted) -> tuple[Sequence[AuditEvent], int]:
        """Return what is wanted beyond the cursor (a page at most), and how far that reaches."""
        if self._begin is not None and self._begin <= cursor:
            fresh = (told for told in self._recent if told.event.cursor > cursor)
            events = [t.event for t in fresh if wanted.holds(t.event, t.owner)]
            return events, max(self._end, cursor)

        async def look(tx: Transaction) -> tuple[Sequence[AuditEvent], int]:
            events = await tx.audit.search(wanted, after=cursor, limit=PAGE)
            reached = events[-1].cursor if len(events) == PAGE else await tx.audit.last()
            return events, max(reached, cursor)

        return await self._registry.read(look)

    async def wait_beyond(self, cursor: int, limit: timedelta, generation: int) -> None:
        """Return when there is news beyond the cursor, at the end of the limit, or of streams."""
        try:
            async with asyncio.timeout(limit.total_seconds()):
                while self._end <= cursor and not self.is_ended(generation):
                    await self._news.wait()
        except TimeoutError:
            return

    async def last(self) -> int:
        """Return the trail's end."""
        return await self._registry.read(lambda tx: tx.audit.last())

    async def _catch_up(self) -> None:
        if self._begin is None:
            self._recent.clear()
            self._begin = self._end = await self.last()
            self._wake()
        while told := await self._registry.read(lambda tx: _told_since(tx, self._end)):
            if len(self._recent) + len(told) > RECENT:
                dropped = len(self._recent) + len(told) - RECENT
                self._begin = [*self._recent, *told][dropped - 1].event.cursor
            self._recent.extend(told)
            self._end = told[-1].event.cursor
            self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Ticket(NamedTuple):
    """One open stream."""

    hub: EventHub
    generation: int

    @property
    def is_over(self) -> bool:
        """Whether it has to end."""
        return self.hub.is_ended(self.generation)

    async def wait_beyond(self, cursor: int, limit: timedelta) -> None:
        """Wait for news."""
        await self.hub.wait_beyond(cursor, limit, self.generation)


async def _told_since(tx: Transaction, cursor: int) -> list[Told]:
    events = await tx.audit.since(cursor, limit=PAGE)
    owners: dict[object, str | None] = {}
    for event in events:
        if event.tenant is None and event.device is not None and event.device not in owners:
            device = await tx.devices.get(event.device)
            owners[event.device] = device.tenant if device else None
    return [Told(event, owners.get(event.device)) for event in events]
