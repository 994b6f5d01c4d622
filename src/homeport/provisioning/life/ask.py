# SPDX-License-Identifier: Apache-2.0
"""Ask a device to renew, to rekey or to reset, or take the wish back.

The wish is kept until the device answers or its time is over; it is said again whenever the device
says that it is there, so a device that is away hears of it later.
"""

from datetime import datetime, timedelta

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.enrolment import WORKING
from homeport.domain.life.command import LIFETIME, LIFETIME_MAX, Command, CommandEvent, Order
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.enrolment.commanded import told
from homeport.provisioning.identifiers import new_id
from homeport.provisioning.ports import Transaction


async def ask(
    tx: Transaction,
    device: Device,
    order: Order,
    *,
    actor: str,
    now: datetime,
    lifetime: timedelta = LIFETIME,
) -> Command:
    """Ask it; the server sends it when it reads the event (`COMMAND_ASKED`).

    TRANSITION_ILLEGAL for a device that has no certificate of ours or another wish to answer,
    MalformedError for a lifetime that is none.
    """
    if not timedelta(0) < lifetime <= LIFETIME_MAX:
        raise MalformedError(f"a command lives for at most {LIFETIME_MAX.days} days")
    run = await tx.enrolments.latest(device.id)
    if device.tenant is None or run is None or run.state not in WORKING:
        state = run.state if run else "never seen"
        detail = f"{device.id.serial_number} is {state}: it has no certificate of ours"
        raise HomeportError(Code.TRANSITION_ILLEGAL, detail)
    asked = await tx.commands.asked(device.id)
    if asked is not None:
        detail = f"{device.id.serial_number} has still to {asked.order}; withdraw that first"
        raise HomeportError(Code.TRANSITION_ILLEGAL, detail)
    command = Command(
        id=new_id(now),
        device=device.id,
        order=order,
        epoch=device.epoch,
        asked_by=actor,
        asked_at=now,
        expires_at=now + lifetime,
    )
    await tx.commands.put(command)
    until = {"until": command.expires_at.isoformat()}
    await tx.audit.record(told(Name.COMMAND_ASKED, device, command, until, actor=actor, now=now))
    return command


async def withdraw(tx: Transaction, device: Device, *, actor: str, now: datetime) -> None:
    """Take back what was asked; TRANSITION_ILLEGAL if nothing is."""
    events = await withdrawn(tx, device, actor=actor, now=now)
    if not events:
        raise HomeportError(Code.TRANSITION_ILLEGAL, "the device was asked nothing")
    await tx.audit.record(*events)


async def withdrawn(
    tx: Transaction, device: Device, *, actor: str, now: datetime
) -> list[AuditEvent]:
    """Take back what was asked, if anything, and return what to record."""
    asked = await tx.commands.asked(device.id)
    if asked is None:
        return []
    await tx.commands.put(asked.after(CommandEvent.TAKEN_BACK, now))
    return [told(Name.COMMAND_WITHDRAWN, device, asked, {}, actor=actor, now=now)]
