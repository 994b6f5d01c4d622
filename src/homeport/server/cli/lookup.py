# SPDX-License-Identifier: Apache-2.0
"""Find the one device that a person means."""

from homeport.domain.device import Device
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction


async def one_device(tx: Transaction, text: str) -> Device:
    """Return the device with this serial number or id; DEVICE_UNKNOWN if none, or several."""
    found = await tx.devices.find(text)
    if not found:
        raise HomeportError(Code.DEVICE_UNKNOWN, text)
    if len(found) > 1:
        ids = ", ".join(str(device.id) for device in found)
        raise HomeportError(
            Code.DEVICE_UNKNOWN, f"several makers have that number; say which: {ids}"
        )
    return found[0]
