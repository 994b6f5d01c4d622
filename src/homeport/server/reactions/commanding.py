# SPDX-License-Identifier: Apache-2.0
"""Say to devices what they are asked to do: at once, at our start, and whenever one comes back.

The registry remembers; here is only a queue of devices that may have something to hear. What is
sent twice is obeyed once.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from homeport.broker.link import BrokerLink
from homeport.clock import Clock
from homeport.domain.audit import AuditEvent
from homeport.domain.device import DeviceId
from homeport.domain.life.command import Command as AskedCommand
from homeport.domain.topics import Branch, Topic
from homeport.errors import HomeportError
from homeport.pki.jws import JwsSigner
from homeport.protocols.mqtt.commands import Command, encode
from homeport.provisioning.life.outstanding import Outstanding, outstanding
from homeport.provisioning.ports import Registry, Transaction
from homeport.telemetry import DETAIL, DEVICE, note

_log: Final = logging.getLogger("homeport.commands")

PAUSE: Final = timedelta(seconds=1)
"""Before another try, while the broker is away."""
PAGE: Final = 500
"""Commands in one transaction."""


class Commanding:
    """A queue of devices that have something to hear."""

    def __init__(
        self,
        link: BrokerLink,
        registry: Registry,
        clock: Clock,
        signer: Callable[[], JwsSigner],
    ) -> None:
        """Take the broker, the registry, and the signer with the key that is ours now."""
        self._link, self._registry, self._clock = link, registry, clock
        self._signer = signer
        self._queue: asyncio.Queue[DeviceId] = asyncio.Queue()

    def tell(self, device: DeviceId) -> None:
        """Queue a device."""
        self._queue.put_nowait(device)

    async def of_event(self, event: AuditEvent) -> None:
        """Queue the device that was asked something."""
        if event.device is not None:
            self.tell(event.device)

    async def work(self) -> None:
        """Say what is to be said until cancelled."""
        after: DeviceId | None = None
        while page := await self._registry.read(partial(Commanding._unanswered, after=after)):
            for command in page:
                self.tell(command.device)
            after = page[-1].device
        while True:
            device = await self._queue.get()
            try:
                await self._say(device)
            except HomeportError as error:
                facts = {DEVICE: str(device), DETAIL: str(error)}
                note(_log, logging.WARNING, "a command could not be sent", **facts)
                self.tell(device)
                await self._clock.sleep(PAUSE)

    @staticmethod
    async def _unanswered(tx: Transaction, after: DeviceId | None) -> Sequence[AskedCommand]:
        return await tx.commands.unanswered(after=after, limit=PAGE)

    async def _say(self, device: DeviceId) -> None:
        now = self._clock.now()
        found = await self._registry.read(lambda tx: outstanding(tx, device, now))
        if found is None:
            return
        await self._link.tell(*write_command(self._signer(), found))
        facts = {DEVICE: str(device), "order": found.command.order}
        note(_log, logging.INFO, "command sent", **facts)


def write_command(signer: JwsSigner, outstanding: Outstanding) -> tuple[Topic, bytes]:
    """Return the topic and the JWS; the signer has the type COMMAND_TYP."""
    command = outstanding.command
    message = Command(
        id=command.id,
        order=command.order.value,
        device=str(command.device),
        credential=outstanding.credential,
        expires=int(command.expires_at.timestamp()),
    )
    topic = Topic(outstanding.tenant, command.device, Branch.COMMAND)
    return topic, signer.sign(encode(message))
