# SPDX-License-Identifier: Apache-2.0
"""The device that a path names: found, and the permission demanded at it."""

from typing import Annotated

from fastapi import Path

from homeport.api.server.ask import Ask
from homeport.api.server.paging import CURSOR_MAX
from homeport.domain.device import Device, DeviceId
from homeport.domain.ownership import Ownership
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.life.decommission import last_owner
from homeport.provisioning.ports import Transaction

DevicePath = Annotated[str, Path(max_length=CURSOR_MAX, description="Id of the device.")]


async def the_device(tx: Transaction, ask: Ask, device_id: str, what: str = "") -> Device:
    """Return the device, if the caller may do to it what the route is for; call it in the verb.

    What is not the caller's, is not there, or is no id at all, is the same to them: NOT_FOUND.
    `what` says where the id stood, if not in the path.
    """
    device = await _device(tx, device_id)
    ask.demand(device.tenant if device else None, what or f"device {device_id}")
    return _found(device, what or f"device {device_id}")


async def the_former_device(tx: Transaction, ask: Ask, device_id: str) -> Device:
    """Return a device at its end, if the caller may do that to what its last owner had."""
    device = await _device(tx, device_id)
    is_at_end = device is not None and device.ownership is Ownership.DECOMMISSIONED
    owner = await last_owner(tx, device, ask.now) if device is not None and is_at_end else None
    ask.demand(owner, f"device {device_id}")
    return _found(device, f"device {device_id}")


async def _device(tx: Transaction, device_id: str) -> Device | None:
    try:
        return await tx.devices.get(DeviceId.parse(device_id))
    except MalformedError:
        return None


def _found(device: Device | None, what: str) -> Device:
    if device is None:
        raise HomeportError(Code.NOT_FOUND, what)
    return device
