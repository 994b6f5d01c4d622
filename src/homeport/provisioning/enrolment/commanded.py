# SPDX-License-Identifier: Apache-2.0
"""What the timeline tells of commands, whoever ends them: the device's word, or its enrolment."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.life.command import Command, CommandEvent
from homeport.provisioning.ports import Transaction


async def obeyed(
    tx: Transaction, device: Device, asked: Command, *, now: datetime
) -> Sequence[AuditEvent]:
    """Note that the device did what it was asked; return what to record."""
    await tx.commands.put(asked.after(CommandEvent.DONE, now))
    return [told(Name.COMMAND_OBEYED, device, asked, {}, actor="device", now=now)]


def told(
    name: Name,
    device: Device,
    command: Command,
    facts: Mapping[str, str],
    *,
    actor: str,
    now: datetime,
) -> AuditEvent:
    """Return the event about a command, as its device's owner's affair."""
    return AuditEvent(
        name=name,
        at=now,
        actor=actor,
        tenant=device.tenant,
        device=device.id,
        facts={"order": command.order.value, "command": command.id, **facts},
    )
