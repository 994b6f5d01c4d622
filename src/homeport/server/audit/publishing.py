# SPDX-License-Identifier: Apache-2.0
"""Publish the audit trail to the broker, for programs: in order, each event once, none left out.

How far it has come is read from the broker's stream itself, so a kill, a broker that is away, or
another platform that publishes too changes nothing. A stream that tells of another history (the
registry was put back from a backup) is begun anew.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, Protocol

from homeport.clock import Clock
from homeport.domain.audit import AuditEvent
from homeport.domain.trail.lines import document_of
from homeport.errors import HomeportError
from homeport.provisioning.ports import Registry, Transaction
from homeport.server.audit.trail import LOOK_EVERY
from homeport.telemetry import DETAIL, note

_log: Final = logging.getLogger("homeport.events")

PAGE: Final = 500
"""Events read at once."""

PAUSE: Final = timedelta(seconds=1)
"""Before another try, while the broker is away."""


class Stream(Protocol):
    """Where to; `homeport.broker.events.EventStream`."""

    async def last(self) -> tuple[int, dict[str, Any] | None]:
        """Return the cursor up to which events are there, and that event if it is still there."""
        ...

    async def publish(self, cursor: int, events: Sequence[AuditEvent]) -> None:
        """Put events in; it must stand at the cursor."""
        ...

    async def begin_anew(self) -> None:
        """Throw everything away."""
        ...


class Publishing:
    """One task."""

    def __init__(self, registry: Registry, stream: Stream, clock: Clock) -> None:
        """Take from where and to where."""
        self._registry, self._stream, self._clock = registry, stream, clock
        self._complaint = ""

    async def keep(self) -> None:
        """Run until cancelled."""
        while True:
            try:
                await self._follow()
            except HomeportError as error:
                if str(error) != self._complaint:
                    note(_log, logging.WARNING, "events wait", **{DETAIL: str(error)})
                self._complaint = str(error)
                await self._clock.sleep(PAUSE)

    async def _follow(self) -> None:
        """Publish from where the stream stands; ends by an error only."""
        cursor, version = await self._begin(), -1
        while True:
            seen = await self._registry.version()
            if seen != version:
                while events := await self._beyond(cursor):
                    await self._stream.publish(cursor, events)
                    cursor = events[-1].cursor
                self._complaint, version = "", seen
            await self._clock.sleep(LOOK_EVERY)

    async def _begin(self) -> int:
        cursor, document = await self._stream.last()
        if await self._registry.read(lambda tx: _is_of_this_history(tx, cursor, document)):
            return cursor
        note(_log, logging.WARNING, "the stream of events begins anew: it is of another history")
        await self._stream.begin_anew()
        cursor, _ = await self._stream.last()
        return cursor

    async def _beyond(self, cursor: int) -> Sequence[AuditEvent]:
        return await self._registry.read(lambda tx: tx.audit.since(cursor, limit=PAGE))


async def _is_of_this_history(
    tx: Transaction, cursor: int, document: dict[str, Any] | None
) -> bool:
    if cursor > await tx.audit.last():
        return False
    if document is None:
        return True
    found = await tx.audit.since(cursor - 1, limit=1)
    here = document_of(found[0]) if found and found[0].cursor == cursor else {}
    return here.items() <= document.items()
