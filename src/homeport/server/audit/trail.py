# SPDX-License-Identifier: Apache-2.0
"""Follow the audit trail: what anybody committed, in this process or another, is acted on here.

One loop and a cursor: long polls are woken, revoked devices are disconnected, new trust anchors are
taken up. The trail is the only channel, so nothing depends on who wrote.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from homeport.clock import Clock
from homeport.domain.audit import AuditEvent, Name
from homeport.errors import HomeportError
from homeport.provisioning.ports import Registry, Transaction
from homeport.telemetry import DETAIL, note

_log: Final = logging.getLogger("homeport.trail")

LOOK_EVERY: Final = timedelta(milliseconds=100)
"""A parked device learns its fact within a second; ten looks a second cost 0.1 ms each second."""

PAGE: Final = 500
"""Events read at once."""

HANDLER_LIMIT: Final = timedelta(seconds=10)
"""For one handler and one event: what takes long is queued by whoever hears of it."""

Handler = Callable[[AuditEvent], Awaitable[None]]


class Trail:
    """Hands each new event to the handlers of its name, in order, at least once a start."""

    def __init__(
        self, registry: Registry, clock: Clock, handlers: Mapping[Name, Sequence[Handler]]
    ) -> None:
        """Take who is told of what."""
        self._registry, self._clock, self._handlers = registry, clock, handlers

    async def follow(self) -> None:
        """Run until cancelled. Begins at the end: what happened before is read by its users."""
        cursor = await self._registry.read(lambda tx: tx.audit.last())
        version = -1
        while True:
            seen = await self._registry.version()
            if seen != version:
                cursor = await self._catch_up(cursor)
                version = seen
            await self._clock.sleep(LOOK_EVERY)

    async def _catch_up(self, cursor: int) -> int:
        while True:
            events, last = await self._news(cursor)
            for event in events:
                await self._tell(event)
            if len(events) < PAGE:
                return last
            cursor = events[-1].cursor

    async def _news(self, cursor: int) -> tuple[Sequence[AuditEvent], int]:
        """Return what somebody here wants to hear, and the end of the trail at that moment."""

        async def look(tx: Transaction) -> tuple[Sequence[AuditEvent], int]:
            events = await tx.audit.since(cursor, names=self._handlers.keys(), limit=PAGE)
            return events, await tx.audit.last()

        return await self._registry.read(look)

    async def _tell(self, event: AuditEvent) -> None:
        for handler in self._handlers.get(event.name, ()):
            try:
                async with asyncio.timeout(HANDLER_LIMIT.total_seconds()):
                    await handler(event)
            except (HomeportError, TimeoutError) as error:
                # One deaf listener must not stop the others; the broker asks again on connect.
                facts = {"event": event.name, DETAIL: str(error)}
                note(_log, logging.WARNING, "an event was not acted on", **facts)
