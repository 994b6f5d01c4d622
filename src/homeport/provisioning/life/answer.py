# SPDX-License-Identifier: Apache-2.0
"""A device answers what it was asked, or does not in time.

A device that begins to reset says so first: from then on its certificate is dead, and the key with
which it comes back is not a second one. All of this may be said more than once.
"""

from datetime import datetime
from typing import Final

from homeport.domain.audit import Name
from homeport.domain.device import DeviceId
from homeport.domain.enrolment import WORKING
from homeport.domain.life.command import CommandEvent, Order
from homeport.provisioning.enrolment.commanded import obeyed, told
from homeport.provisioning.enrolment.supersede import supersede
from homeport.provisioning.ports import Transaction

_DEVICE: Final = "device"


async def answer(
    tx: Transaction, *, tenant: str, device: DeviceId, command: str, refusal: str, now: datetime
) -> bool:
    """Note what came of it; say whether the answer counted.

    `tenant` and `device` are those of the topic; `refusal` is empty if the device obeyed. It does
    not count if that device of that tenant was not asked this, or has answered already.
    """
    known = await tx.devices.get(device)
    asked = await tx.commands.asked(device)
    if known is None or known.tenant != tenant or asked is None or asked.id != command:
        return False
    if refusal:
        await tx.commands.put(asked.after(CommandEvent.DEVICE_REFUSED, now, refusal))
        facts = {"reason": refusal}
        event = told(Name.COMMAND_REFUSED, known, asked, facts, actor=_DEVICE, now=now)
        await tx.audit.record(event)
        return True
    await tx.audit.record(*await obeyed(tx, known, asked, now=now))
    if asked.order is Order.RESET:
        run = await tx.enrolments.latest(device)
        if run is not None and run.state in WORKING:
            await tx.audit.record(*await supersede(tx, run, tenant, actor=_DEVICE, now=now))
    return True


async def expire(tx: Transaction, *, now: datetime, limit: int) -> int:
    """End commands whose time is over, at most `limit`; return how many."""
    overdue = await tx.commands.overdue(now, limit=limit)
    for command in overdue:
        await tx.commands.put(command.after(CommandEvent.TIME_OVER, now))
        device = await tx.devices.get(command.device)
        if device is not None:
            event = told(Name.COMMAND_EXPIRED, device, command, {}, actor="platform", now=now)
            await tx.audit.record(event)
    return len(overdue)
