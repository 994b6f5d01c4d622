# SPDX-License-Identifier: Apache-2.0
"""The audit trail in memory, and the heads of its chain."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from fakes.registry.rows import Rows, keepable
from homeport.domain.audit import AuditEvent, Name, Wanted
from homeport.domain.device import DeviceId
from homeport.domain.trail.chain import KeptEvent, canonical_facts
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import SealedHead

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FakeAuditTrail:
    def __init__(self, rows: Rows) -> None:
        self._all = rows
        self._rows = rows.audit

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

    async def search(
        self, wanted: Wanted, *, after: int | None, limit: int, newest_first: bool = False
    ) -> Sequence[AuditEvent]:
        found = [event for event in self._rows if wanted.holds(event, self._owner(event))]
        if newest_first:
            found.reverse()
        if after is not None:
            found = [e for e in found if (e.cursor < after if newest_first else e.cursor > after)]
        return found[:limit]

    async def kept(self, after: int, *, limit: int) -> Sequence[KeptEvent]:
        return [kept(event) for event in self._rows if event.cursor > after][:limit]

    def _owner(self, event: AuditEvent) -> str | None:
        device = self._all.devices.get(event.device) if event.device else None
        return device.tenant if device else None


def kept(event: AuditEvent) -> KeptEvent:
    """The event as a registry keeps it."""
    return KeptEvent(
        event.cursor,
        event.name.value,
        (event.at - EPOCH) // timedelta(microseconds=1),
        event.actor,
        event.tenant,
        None if event.device is None else str(event.device),
        event.enrolment,
        canonical_facts(event.facts),
    )


class FakeAuditHeads:
    def __init__(self, rows: dict[int, SealedHead]) -> None:
        self._rows = rows

    async def latest(self) -> SealedHead | None:
        return self._rows[max(self._rows)] if self._rows else None

    async def beyond(self, number: int, *, limit: int) -> Sequence[SealedHead]:
        return [head for key, head in sorted(self._rows.items()) if key > number][:limit]

    async def add(self, head: SealedHead) -> None:
        if head.number in self._rows:
            raise HomeportError(Code.ALREADY_EXISTS, f"head {head.number}")
        self._rows[head.number] = head
