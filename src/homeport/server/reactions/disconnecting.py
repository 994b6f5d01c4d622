# SPDX-License-Identifier: Apache-2.0
"""Disconnect devices whose certificates were revoked or whose permissions changed.

The broker asks who may do what at log-in only. This does not hold up the trail.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from homeport.broker.link import BrokerLink
from homeport.clock import Clock
from homeport.domain.audit import AuditEvent
from homeport.domain.device import DeviceId
from homeport.errors import HomeportError
from homeport.provisioning.absences import note_absent
from homeport.provisioning.ports import Registry
from homeport.telemetry import DETAIL, DEVICE, note

_log: Final = logging.getLogger("homeport.broker")

WORKERS: Final = 32
"""At once: each takes some seconds, because it looks again for a log-in that was under way."""

CHANGED_WITHIN: Final = timedelta(days=1)
"""Releases that are looked at again at start: of before our last end, unless we were away longer;
then a device waits for its next connection."""

PAUSE: Final = timedelta(seconds=1)
"""Before another try, while the broker is away."""


class Disconnecting:
    """A queue of devices that must go. What happened while we were away is asked for at start."""

    def __init__(self, link: BrokerLink, registry: Registry, clock: Clock) -> None:
        """Take the broker, and the registry that says who was revoked."""
        self._link, self._registry, self._clock = link, registry, clock
        self._queue: asyncio.Queue[DeviceId] = asyncio.Queue()

    async def of_event(self, event: AuditEvent) -> None:
        """Queue the device of a revocation, or of a change of quarantine."""
        if event.device is not None:
            self._queue.put_nowait(event.device)

    async def work(self) -> None:
        """Disconnect until cancelled."""
        now = self._clock.now()
        for credential in await self._registry.read(lambda tx: tx.credentials.revoked(now)):
            self._queue.put_nowait(credential.device)
        changed = await self._registry.read(
            lambda tx: tx.quarantines.to_enforce(now - CHANGED_WITHIN)
        )
        for device in changed:
            self._queue.put_nowait(device)
        async with asyncio.TaskGroup() as workers:
            for number in range(WORKERS):
                workers.create_task(self._worker(), name=f"disconnecting {number}")

    async def _worker(self) -> None:
        while True:
            device = await self._queue.get()
            try:
                ended = await self._end(device)
            except HomeportError as error:
                # The broker asks again on its next connect and is told no; only this one lives on.
                facts = {DEVICE: str(device), DETAIL: str(error)}
                note(_log, logging.ERROR, "a device could not be disconnected", **facts)
                self._queue.put_nowait(device)
                await self._clock.sleep(PAUSE)
            else:
                note(_log, logging.INFO, "disconnected", **{DEVICE: str(device), "ended": ended})

    async def _end(self, device: DeviceId) -> int:
        begun = self._clock.now()
        ended = await self._link.disconnect(device)
        # Not left to the last will: the broker does not always speak it for whom it ends.
        await self._registry.transact(lambda tx: note_absent(tx, [device], begun))
        return ended
