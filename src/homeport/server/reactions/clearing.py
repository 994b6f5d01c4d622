# SPDX-License-Identifier: Apache-2.0
"""Clear what the broker retains of a device under a former owner's topics.

The last will of the connection that is ended is retained there a moment later: so the connection is
ended first, and the state is forgotten then.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Final, NamedTuple

from homeport.broker.link import BrokerLink
from homeport.clock import Clock
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import DeviceId
from homeport.domain.topics import Branch, Topic
from homeport.errors import HomeportError
from homeport.provisioning.ports import Registry
from homeport.telemetry import DETAIL, DEVICE, note

_log: Final = logging.getLogger("homeport.broker")

LEAVING: Final = (Name.TRANSFER_ACCEPTED, Name.DEVICE_DECOMMISSIONED)
"""Events after which a device has other topics, or none; told as the former owner's affair."""
WORKERS: Final = 8
LOOK_BACK: Final = timedelta(days=1)
"""Transfers that are looked at again at our start: we may have ended in between."""
PAUSE: Final = timedelta(seconds=1)
"""Before another try, while the broker is away."""


class _Left(NamedTuple):
    device: DeviceId
    tenant: str


class Clearing:
    """A queue of devices and the tenants that they left."""

    def __init__(self, link: BrokerLink, registry: Registry, clock: Clock) -> None:
        """Take the broker, and the registry that says who left."""
        self._link, self._registry, self._clock = link, registry, clock
        self._queue: asyncio.Queue[_Left] = asyncio.Queue()

    async def of_event(self, event: AuditEvent) -> None:
        """Queue a device that left the event's tenant."""
        if event.device is not None and event.tenant is not None:
            self._queue.put_nowait(_Left(event.device, event.tenant))

    async def work(self) -> None:
        """Clear until cancelled."""
        since = self._clock.now() - LOOK_BACK
        for offer in await self._registry.read(lambda tx: tx.offers.accepted_since(since)):
            self._queue.put_nowait(_Left(offer.device, offer.seller))
        async with asyncio.TaskGroup() as workers:
            for number in range(WORKERS):
                workers.create_task(self._worker(), name=f"clearing {number}")

    async def _worker(self) -> None:
        while True:
            left = await self._queue.get()
            try:
                if not await self._is_back(left):
                    await self._link.disconnect(left.device)
                    await self._link.forget(Topic(left.tenant, left.device, Branch.STATE))
            except HomeportError as error:
                facts = {DEVICE: str(left.device), DETAIL: str(error)}
                note(_log, logging.WARNING, "a former owner's topic was not cleared", **facts)
                self._queue.put_nowait(left)
                await self._clock.sleep(PAUSE)

    async def _is_back(self, left: _Left) -> bool:
        device = await self._registry.read(lambda tx: tx.devices.get(left.device))
        return device is not None and device.tenant == left.tenant
