# SPDX-License-Identifier: Apache-2.0
"""Who waits for news of a device: long polls register here, the trail's reader wakes them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from homeport.domain.audit import Name
from homeport.domain.device import DeviceId

WAKING: Final = frozenset(
    {
        Name.DEVICE_ASSIGNED,
        Name.DEVICE_CLAIMED,
        Name.PRESENCE_SHOWN,
        Name.VOUCHER_IMPORTED,
        Name.CANDIDATE_ACCEPTED,
        Name.CANDIDATE_REFUSED,
        Name.CREDENTIAL_REVOKED,
        Name.DEVICE_BARRED,
        Name.DEVICE_TRANSFERRED,
        Name.DEVICE_DECOMMISSIONED,
        Name.DEVICE_TOOK_PLACE,
    }
)
"""The events that may be what a parked device waits for."""


class Waiting:
    """Events of asyncio by device; empty when nobody waits."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._waiting: dict[DeviceId, set[asyncio.Event]] = {}

    @contextmanager
    def for_news(self, device: DeviceId) -> Iterator[asyncio.Event]:
        """Give an event that is set when something happens to the device.

        Enter before looking at the registry, so that no news falls between look and wait.
        """
        event = asyncio.Event()
        self._waiting.setdefault(device, set()).add(event)
        try:
            yield event
        finally:
            waiters = self._waiting[device]
            waiters.discard(event)
            if not waiters:
                del self._waiting[device]

    def wake(self, device: DeviceId) -> None:
        """Tell everybody who waits for this device."""
        for event in self._waiting.get(device, ()):
            event.set()

    def __len__(self) -> int:
        """Return for how many devices somebody waits."""
        return len(self._waiting)
