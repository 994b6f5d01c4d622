# SPDX-License-Identifier: Apache-2.0
"""Presence after a broker died: it forgets the last wills of those who were connected.

No connection outlives its broker, and whoever comes back says `online` anew. So a device that was
last seen online before the present broker began, and has not come back, is gone.
"""

from collections.abc import Iterable
from datetime import datetime

from homeport.domain.device import DeviceId
from homeport.provisioning.ports import Presence, Transaction


async def note_absent(tx: Transaction, devices: Iterable[DeviceId], since: datetime) -> int:
    """Note as offline those that are still online since earlier than `since`; return how many."""
    count = 0
    for device in devices:
        seen = await tx.presence.get(device)
        if seen is not None and seen.online and seen.since < since:
            await tx.presence.put(device, Presence(online=False, since=since))
            count += 1
    return count
