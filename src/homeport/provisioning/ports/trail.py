# SPDX-License-Identifier: Apache-2.0
"""Everything that happened, in order."""

from collections.abc import Collection, Sequence
from typing import Protocol

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import DeviceId


class AuditTrail(Protocol):
    """Everything that happened, in order."""

    async def record(self, *events: AuditEvent) -> None:
        """Append; the cursors are given here."""
        ...

    async def of_device(
        self, device: DeviceId, *, after: int = 0, limit: int = 1000
    ) -> Sequence[AuditEvent]:
        """Return a device's timeline beyond the cursor, in order."""
        ...

    async def since(
        self, cursor: int, *, names: Collection[Name] = (), limit: int = 1000
    ) -> Sequence[AuditEvent]:
        """Return what came after the cursor, in order; only these names (at most 32) if any."""
        ...

    async def last(self) -> int:
        """Return the cursor of the newest event, 0 when there is none."""
        ...
