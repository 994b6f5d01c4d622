# SPDX-License-Identifier: Apache-2.0
"""The audit trail in memory."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import islice

from fakes.registry.rows import keepable
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import DeviceId


class FakeAuditTrail:
    def __init__(self, rows: list[AuditEvent]) -> None:
        self._rows = rows

    async def record(self, *events: AuditEvent) -> None:
        for event in events:
            self._rows.append(keepable(replace(event, cursor=len(self._rows) + 1)))

    async def of_device(
        self, device: DeviceId, *, after: int = 0, limit: int = 1000
    ) -> Sequence[AuditEvent]:
        found = [event for event in self._rows[after:] if event.device == device]
        return found[:limit]

    async def since(
        self, cursor: int, *, names: Collection[Name] = (), limit: int = 1000
    ) -> Sequence[AuditEvent]:
        later = (row for row in self._rows[cursor:] if not names or row.name in names)
        return list(islice(later, limit))

    async def last(self) -> int:
        return len(self._rows)
