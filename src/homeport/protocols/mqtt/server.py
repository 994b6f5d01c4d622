# SPDX-License-Identifier: Apache-2.0
"""The platform's half of MQTT: state messages become facts of the registry.

The broker lets nobody but a device publish to its topics, so the topic says who speaks.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from homeport.domain.device import DeviceId
from homeport.domain.topics import Branch, Topic
from homeport.errors import MalformedError
from homeport.protocols.mqtt.wire import Offline, Online, read_state
from homeport.provisioning.absences import note_absent
from homeport.provisioning.complete import complete
from homeport.provisioning.ports import Registry, Transaction

log: Final = logging.getLogger(__name__)

PAGE: Final = 500
"""Devices in one transaction: others wait for it for some milliseconds."""


class StateMessages:
    """Handles the state messages of all devices; give `handle` to the broker's link."""

    def __init__(self, registry: Registry) -> None:
        """Take the registry."""
        self._registry = registry
        self.counted = 0
        self.ignored = 0
        """How many messages told something, and how many did not count."""

    async def handle(self, subject: str, payload: bytes, at: datetime) -> None:
        """Handle one; MalformedError if it can never be. Returns after the registry has it.

        `subject` is the NATS subject, `at` when the broker took the message.
        """
        topic = Topic.parse_subject(subject)
        if topic.branch is not Branch.STATE:
            raise MalformedError(f"{subject} is no state")
        message = read_state(payload)
        counted = await self._registry.transact(lambda tx: _tell(tx, topic, message, at))
        if counted:
            self.counted += 1
        else:
            self.ignored += 1
            log.warning(
                "state message ignored: its certificate or tenant does not count",
                extra={"device": str(topic.device)},
            )

    async def end_absent(self, begun: datetime) -> None:
        """Note who was online before the broker began, at `begun`, and has not come back."""
        count, after = 0, None
        while devices := await self._absent(begun, after):
            count += await self._registry.transact(
                partial(note_absent, devices=devices, since=begun)
            )
            after = devices[-1]
        if count:
            log.warning("%d devices did not come back after the broker's start", count)

    async def _absent(self, begun: datetime, after: DeviceId | None) -> Sequence[DeviceId]:
        return await self._registry.read(
            lambda tx: tx.presence.online(before=begun, after=after, limit=PAGE)
        )


async def _tell(tx: Transaction, topic: Topic, message: Online | Offline, at: datetime) -> bool:
    return await complete(
        tx,
        tenant=topic.tenant,
        device=topic.device,
        fingerprint=message.credential,
        online=isinstance(message, Online),
        now=at,
    )
