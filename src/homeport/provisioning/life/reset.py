# SPDX-License-Identifier: Apache-2.0
"""Reset a device: it forgets its owner's side and enrols anew, under the same owner.

It is asked by a command, now or when it is back; the context is kept or forgotten, as asked.
"""

from datetime import datetime, timedelta

from homeport.domain.device import Device
from homeport.domain.life.command import LIFETIME, Command, Order
from homeport.provisioning.context.forget_context import forget_context
from homeport.provisioning.life.ask import ask
from homeport.provisioning.ports import Transaction


async def reset(
    tx: Transaction,
    device: Device,
    *,
    keeps_context: bool,
    actor: str,
    now: datetime,
    lifetime: timedelta = LIFETIME,
) -> Command:
    """Ask it; refused as every command is (`ask`), and then nothing is forgotten."""
    command = await ask(tx, device, Order.RESET, actor=actor, now=now, lifetime=lifetime)
    if not keeps_context:
        await forget_context(tx, device, actor=actor, now=now)
    return command
