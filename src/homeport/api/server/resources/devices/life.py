# SPDX-License-Identifier: Apache-2.0
"""Operate one device: commands, quarantine, reset, replacement, its end.

Each answers with the device as it is then, but for commands, which answer with themselves.
"""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Body

from homeport.api.server.ask import Acted, Asked, Posted, needs
from homeport.api.server.resources.devices.decide import decided
from homeport.api.server.resources.devices.shown import detailed
from homeport.api.server.subjects import DevicePath, the_device, the_former_device
from homeport.api.wire.devices import DeviceDetails
from homeport.api.wire.life import (
    Command,
    Commands,
    Holding,
    NewCommand,
    Recommissioning,
    Reset,
    Successor,
)
from homeport.domain.device import Device
from homeport.domain.people import Permission
from homeport.provisioning.life.ask import ask as ask_device
from homeport.provisioning.life.ask import withdraw
from homeport.provisioning.life.decommission import decommission, last_owner, recommission
from homeport.provisioning.life.quarantine import quarantine, release
from homeport.provisioning.life.replace_device import replace_device, undo_replacement
from homeport.provisioning.life.reset import reset
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/devices/{device_id}", tags=["devices"])

SHOWN: Final = 100
"""Commands of one device in a list."""

_KEEPING: Final = Reset()
_AS_BEFORE: Final = Recommissioning()


@router.get("/commands", **needs(Permission.DEVICES_READ))
async def list_commands(device_id: DevicePath, ask: Asked) -> Commands:
    """List what a device was asked to do, under its present owner."""

    async def verb(tx: Transaction) -> Commands:
        device = await the_device(tx, ask, device_id)
        found = await tx.commands.of_device(device.id, limit=SHOWN)
        # What a former owner asked is theirs.
        shown = [each for each in found if each.epoch == device.epoch]
        return Commands(items=[Command.of(each) for each in shown])

    return await ask.read(verb)


@router.post("/commands", status_code=201, **needs(Permission.DEVICES_OPERATE, 409))
async def command_device(device_id: DevicePath, said: NewCommand, ask: Posted) -> Command:
    """Ask a device to renew, rekey or reset; one that is away hears it when it is back."""

    async def verb(tx: Transaction) -> Command:
        device = await the_device(tx, ask, device_id)
        days = timedelta(days=said.days)
        asked = await ask_device(
            tx, device, said.order, actor=ask.actor, now=ask.now, lifetime=days
        )
        return Command.of(asked)

    return await ask.once(Command, verb)


@router.post("/commands/withdraw", **needs(Permission.DEVICES_OPERATE, 409, 412))
async def withdraw_command(device_id: DevicePath, ask: Acted) -> DeviceDetails:
    """Take back what a device was asked and has not answered."""
    return await decided(
        ask, device_id, lambda tx, device: withdraw(tx, device, actor=ask.actor, now=ask.now)
    )


@router.post("/reset", **needs(Permission.DEVICES_OPERATE, 409, 412))
async def reset_device(
    device_id: DevicePath, ask: Acted, said: Annotated[Reset, Body()] = _KEEPING
) -> DeviceDetails:
    """Let a device forget its owner's side and enrol anew, under the same owner."""
    return await decided(
        ask,
        device_id,
        lambda tx, device: reset(
            tx, device, keeps_context=said.keeps_context, actor=ask.actor, now=ask.now
        ),
    )


@router.post("/quarantine", **needs(Permission.DEVICES_OPERATE, 409, 412))
async def quarantine_device(device_id: DevicePath, said: Holding, ask: Acted) -> DeviceDetails:
    """Put a device into quarantine: it stays connected, and its messages go nowhere."""
    return await decided(
        ask,
        device_id,
        lambda tx, device: quarantine(tx, device, said.reason, actor=ask.actor, now=ask.now),
    )


@router.post("/release", **needs(Permission.DEVICES_OPERATE, 409, 412))
async def release_device(device_id: DevicePath, ask: Acted) -> DeviceDetails:
    """Release a device from quarantine."""
    return await decided(
        ask, device_id, lambda tx, device: release(tx, device, actor=ask.actor, now=ask.now)
    )


@router.post("/replace", **needs(Permission.DEVICES_OPERATE, 409, 412))
async def replace_a_device(device_id: DevicePath, said: Successor, ask: Acted) -> DeviceDetails:
    """Let another device of the tenant take a device's place; the old one is revoked."""

    async def verb(tx: Transaction, old: Device) -> None:
        new = await the_device(tx, ask, said.device, "body.device")
        await replace_device(tx, old, new, actor=ask.actor, now=ask.now)

    return await decided(ask, device_id, verb)


@router.post("/undo-replacement", **needs(Permission.DEVICES_OPERATE, 409, 412))
async def undo_a_replacement(device_id: DevicePath, ask: Acted) -> DeviceDetails:
    """Put back what this new device has replaced, until it has arrived."""
    return await decided(
        ask,
        device_id,
        lambda tx, device: undo_replacement(tx, device, actor=ask.actor, now=ask.now),
    )


@router.post("/decommission", **needs(Permission.DEVICES_TRANSFER, 409, 412))
async def decommission_device(device_id: DevicePath, ask: Acted) -> DeviceDetails:
    """End a device's life: its access ends, and it is refused from now on."""
    return await decided(
        ask, device_id, lambda tx, device: decommission(tx, device, actor=ask.actor, now=ask.now)
    )


@router.post("/recommission", **needs(Permission.DEVICES_TRANSFER, 409))
async def recommission_device(
    device_id: DevicePath, ask: Posted, said: Annotated[Recommissioning, Body()] = _AS_BEFORE
) -> DeviceDetails:
    """Take a decommissioned device back into use: its last owner may for thirty days."""

    async def verb(tx: Transaction) -> DeviceDetails:
        device = await the_former_device(tx, ask, device_id)
        tenant = said.tenant
        if not ask.caller.is_operator:
            tenant = tenant or await last_owner(tx, device, ask.now)
            ask.demand(tenant, f"tenant {tenant}")
        back = await recommission(tx, device, tenant, actor=ask.actor, now=ask.now)
        return await detailed(tx, ask, back)

    return await ask.once(DeviceDetails, verb)
