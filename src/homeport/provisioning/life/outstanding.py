# SPDX-License-Identifier: Apache-2.0
"""What a device is still to be told, and the certificate that the message names.

A command names the certificate with which the device is connected and counts for that one only: one
that is sent or stored twice is obeyed once, and a new owner's device does not hear an old one's.
"""

from dataclasses import dataclass
from datetime import datetime

from homeport.domain.device import DeviceId
from homeport.domain.life.command import Command
from homeport.provisioning.ports import Transaction


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A command, to whom it goes, and for which certificate."""

    command: Command
    tenant: str
    credential: str
    """Fingerprint."""


async def outstanding(tx: Transaction, device: DeviceId, now: datetime) -> Outstanding | None:
    """Return what to send; None if the device is asked nothing, or has nothing to hear it with."""
    asked = await tx.commands.asked(device)
    known = await tx.devices.get(device)
    if asked is None or known is None or known.tenant is None or now >= asked.expires_at:
        return None
    if asked.epoch != known.epoch:
        return None
    for credential in await tx.credentials.of_device(device):
        # The oldest that counts is the one in use: the first word said with a newer one ends it.
        if credential.is_current(now) and credential.epoch == known.epoch:
            return Outstanding(asked, known.tenant, credential.fingerprint)
    return None
