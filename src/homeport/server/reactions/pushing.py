# SPDX-License-Identifier: Apache-2.0
"""Push contexts and settings to devices: everything that the broker does not have yet.

What waits stands in the registry, so nothing is lost while the platform or the broker is down, and
whoever made the change: a program, a person, another process. The trail only says when to look.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from homeport.broker.link import BrokerLink
from homeport.broker.retained import SETTLED
from homeport.clock import Clock
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import DeviceId
from homeport.domain.topics import DESIRED, Branch, Topic
from homeport.errors import HomeportError
from homeport.protocols.mqtt.wire import Desired, encode
from homeport.provisioning.context.push import Push, note_pushed, waiting_pushes
from homeport.provisioning.ports import Registry
from homeport.telemetry import DETAIL, DEVICE, note

_log: Final = logging.getLogger("homeport.broker")

NEWS: Final = (Name.CONTEXT_CHANGED, Name.CONTEXT_FORGOTTEN, Name.TWIN_CHANGED)
"""Events after which something may wait."""
PAGE: Final = 200
"""Pushed at once and noted in one transaction."""
RETRY_FIRST: Final = timedelta(seconds=1)
RETRY_LONGEST: Final = timedelta(seconds=60)
"""Pauses while the broker does not take something."""


class Pushing:
    """One loop that empties the list of what waits."""

    def __init__(self, link: BrokerLink, registry: Registry, clock: Clock) -> None:
        """Take the broker, and the registry that says what waits."""
        self._link, self._registry, self._clock = link, registry, clock
        self._has_news = asyncio.Event()

    async def of_event(self, _: AuditEvent) -> None:
        """Look again."""
        self._has_news.set()

    async def work(self) -> None:
        """Push until cancelled."""
        pause = RETRY_FIRST
        while True:
            self._has_news.clear()
            if await self._push_all():
                pause = RETRY_FIRST
                await self._has_news.wait()
            else:
                await self._clock.sleep(pause)
                pause = min(pause * 2, RETRY_LONGEST)

    async def _push_all(self) -> bool:
        """Return whether the broker took everything."""
        took_all, after = True, None
        while pushes := await self._waiting(after):
            after = pushes[-1].twin.device
            kept = await self._of_all(self._keep, pushes)
            # Who listens is told even so: a store that others filled must not cut a device off.
            await self._of_all(self._tell, pushes)
            await self._clock.sleep(SETTLED)
            told = await self._of_all(self._tell, pushes)
            done = zip(pushes, kept, told, strict=True)
            pushed = [push for push, is_kept, is_told in done if is_kept and is_told]
            took_all = took_all and len(pushed) == len(pushes)
            await self._registry.transact(partial(note_pushed, pushes=pushed))
        return took_all

    async def _of_all(
        self, act: Callable[[Push], Awaitable[None]], pushes: Sequence[Push]
    ) -> Sequence[bool]:
        """Do it for all at once; say for each whether it was done."""
        return await asyncio.gather(*(self._attempt(act, push) for push in pushes))

    async def _attempt(self, act: Callable[[Push], Awaitable[None]], push: Push) -> bool:
        try:
            await act(push)
        except HomeportError as error:
            facts = {DEVICE: str(push.twin.device), DETAIL: str(error)}
            note(_log, logging.WARNING, "settings wait for the broker", **facts)
            return False
        return True

    async def _waiting(self, after: DeviceId | None) -> Sequence[Push]:
        return await self._registry.read(partial(waiting_pushes, after=after, limit=PAGE))

    async def _keep(self, push: Push) -> None:
        device, kept_for = push.twin.device, push.twin.kept_for
        if kept_for is not None and kept_for != push.tenant:
            await self._link.forget(_topic(kept_for, device))
        if push.tenant is not None:
            await self._link.keep(_topic(push.tenant, device), _message(push))

    async def _tell(self, push: Push) -> None:
        if push.tenant is not None:
            await self._link.tell(_topic(push.tenant, push.twin.device), _message(push))


def _topic(tenant: str, device: DeviceId) -> Topic:
    return Topic(tenant, device, Branch.TWIN, DESIRED)


def _message(push: Push) -> bytes:
    twin = push.twin
    return encode(
        Desired(version=twin.version, context=dict(push.context), desired=dict(twin.desired))
    )
