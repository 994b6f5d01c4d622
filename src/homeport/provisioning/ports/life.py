# SPDX-License-Identifier: Apache-2.0
"""What is done with devices after they arrived: commands, quarantine, transfers."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from homeport.domain.device import DeviceId
from homeport.domain.life.command import Command
from homeport.domain.life.offer import Offer
from homeport.domain.life.quarantine import Quarantine
from homeport.domain.life.replacement import Replacement


class Commands(Protocol):
    """What devices were asked to do."""

    async def get(self, command: str) -> Command | None:
        """Return one by its id."""
        ...

    async def asked(self, device: DeviceId) -> Command | None:
        """Return the one that the device has not answered yet; there is at most one."""
        ...

    async def of_device(self, device: DeviceId, *, limit: int) -> Sequence[Command]:
        """Return a device's, newest first."""
        ...

    async def unanswered(self, *, after: DeviceId | None, limit: int) -> Sequence[Command]:
        """Return those that no device has answered yet, by device, beyond `after`."""
        ...

    async def overdue(self, now: datetime, *, limit: int) -> Sequence[Command]:
        """Return unanswered ones whose time is over."""
        ...

    async def put(self, command: Command) -> None:
        """Add it, or change the state of the one with this id.

        HomeportError: DEVICE_UNKNOWN, or ALREADY_EXISTS for a second one without an answer.
        """
        ...


class Quarantines(Protocol):
    """Which devices are in quarantine, and were lately."""

    async def get(self, device: DeviceId) -> Quarantine | None:
        """Return the present one; None for a device that is not, or no longer, in quarantine."""
        ...

    async def put(self, quarantine: Quarantine) -> None:
        """Keep it, instead of the device's earlier one; DEVICE_UNKNOWN for a device unheard of."""
        ...

    async def to_enforce(self, released_after: datetime) -> Sequence[DeviceId]:
        """Return the devices whose permissions changed: all inside, and those released since."""
        ...


class Offers(Protocol):
    """Devices that are, or were, offered to other tenants."""

    async def get(self, offer: str) -> Offer | None:
        """Return one by its id."""
        ...

    async def open_of(self, device: DeviceId) -> Offer | None:
        """Return the device's open one; there is at most one."""
        ...

    async def with_code(self, code_hash: bytes) -> Offer | None:
        """Return the open one that has this code."""
        ...

    async def concerning(
        self, tenants: Collection[str] | None, *, after: str, limit: int
    ) -> Sequence[Offer]:
        """Return those from or to the tenants (None: all), newest first, older than `after`."""
        ...

    async def overdue(self, now: datetime, *, limit: int) -> Sequence[Offer]:
        """Return open ones whose time is over."""
        ...

    async def accepted_since(self, at: datetime) -> Sequence[Offer]:
        """Return those accepted later than that."""
        ...

    async def put(self, offer: Offer) -> None:
        """Add it, or change the state of the one with this id.

        HomeportError: DEVICE_UNKNOWN, or ALREADY_EXISTS for a second open one.
        """
        ...


class Replacements(Protocol):
    """Which devices took the place of which."""

    async def of_new(self, device: DeviceId) -> Replacement | None:
        """Return the latest in which this device came."""
        ...

    async def put(self, replacement: Replacement) -> None:
        """Keep it, instead of an earlier one with the same new device; DEVICE_UNKNOWN."""
        ...
