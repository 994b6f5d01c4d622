# SPDX-License-Identifier: Apache-2.0
"""The platform's half of MQTT: what devices say to it becomes facts of the registry.

The broker lets nobody but a device publish to its topics, so the topic says who speaks.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from homeport.domain.device import DeviceId
from homeport.domain.topics import REPORTED, Branch, Topic
from homeport.errors import MalformedError
from homeport.protocols.mqtt.commands import Result, read_result
from homeport.protocols.mqtt.wire import Offline, Online, read_reported, read_state
from homeport.provisioning.absences import note_absent
from homeport.provisioning.complete import complete
from homeport.provisioning.context.take_report import take_report
from homeport.provisioning.life.answer import answer
from homeport.provisioning.ports import Registry, Transaction

log: Final = logging.getLogger(__name__)

PAGE: Final = 500
"""Devices in one transaction: others wait for it for some milliseconds."""


class StateMessages:
    """Handles what devices say to the platform; give `handle` to the broker's link."""

    def __init__(
        self, registry: Registry, on_asked: Callable[[DeviceId], None] = lambda _: None
    ) -> None:
        """Take the registry, and who is told of a device that came and has a command to hear."""
        self._registry = registry
        self._on_asked = on_asked
        self.counted = 0
        self.ignored = 0
        """How many messages told something, and how many did not count."""

    async def handle(self, subject: str, payload: bytes, at: datetime) -> None:
        """Handle one; MalformedError if it can never be. Returns after the registry has it.

        `subject` is the NATS subject, `at` when the broker took the message.
        """
        topic = Topic.parse_subject(subject)
        match topic.branch:
            case Branch.STATE:
                counted = await self._note_state(topic, read_state(payload), at)
            case Branch.RESULT:
                counted = await self._note_result(topic, read_result(payload), at)
            case Branch.TWIN if topic.channel == REPORTED:
                await self._take_report(topic, payload, at)
                return  # a repetition is no more than that
            case _:
                raise MalformedError(f"{subject} is not for the platform")
        if counted:
            self.counted += 1
        else:
            self.ignored += 1
            log.warning(
                "%s message ignored: its certificate, tenant or command does not count",
                topic.branch,
                extra={"device": str(topic.device)},
            )

    async def _note_state(self, topic: Topic, message: Online | Offline, at: datetime) -> bool:
        counted, is_asked = await self._registry.transact(lambda tx: _tell(tx, topic, message, at))
        if is_asked:
            self._on_asked(topic.device)
        return counted

    async def _take_report(self, topic: Topic, payload: bytes, at: datetime) -> None:
        report = read_reported(payload)
        await self._registry.transact(
            lambda tx: take_report(
                tx, tenant=topic.tenant, device=topic.device, report=report, at=at
            )
        )

    async def _note_result(self, topic: Topic, message: Result, at: datetime) -> bool:
        return await self._registry.transact(
            lambda tx: answer(
                tx,
                tenant=topic.tenant,
                device=topic.device,
                command=message.command,
                refusal="" if message.result == "obeyed" else message.code or message.result,
                now=at,
            )
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


async def _tell(
    tx: Transaction, topic: Topic, message: Online | Offline, at: datetime
) -> tuple[bool, bool]:
    """Return whether the message counted, and whether the device has a command to hear."""
    is_online = isinstance(message, Online)
    counted = await complete(
        tx,
        tenant=topic.tenant,
        device=topic.device,
        fingerprint=message.credential,
        online=is_online,
        now=at,
    )
    is_asked = is_online and counted and await tx.commands.asked(topic.device) is not None
    return counted, is_asked
