# SPDX-License-Identifier: Apache-2.0
"""The device that a path names: found, and the permission demanded at it."""

from typing import Annotated

from fastapi import Path

from homeport.api.server.ask import Ask
from homeport.api.server.paging import CURSOR_MAX
from homeport.domain.device import Device, DeviceId
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.ports import Transaction

DevicePath = Annotated[str, Path(max_length=CURSOR_MAX, description="Id of the device.")]


async def the_device(tx: Transaction, ask: Ask, device_id: str) -> Device:
    """Return the device, if the caller may do to it what the route is for; call it in the verb.

    What is not the caller's, is not there, or is no id at all, is the same to them: NOT_FOUND.
    """
    what = f"device {device_id}"
    try:
        device = await tx.devices.get(DeviceId.parse(device_id))
    except MalformedError:
        device = None
    ask.demand(device.tenant if device else None, what)
    if device is None:
        raise HomeportError(Code.NOT_FOUND, what)
    return device
