# SPDX-License-Identifier: Apache-2.0
"""Presence that no last will ends: after a broker died, and of those who were disconnected by us.

No connection outlives its broker, or its being ended, and whoever comes back says `online` anew. So
a device that was last seen online before that moment, and has not come back, is gone.
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
