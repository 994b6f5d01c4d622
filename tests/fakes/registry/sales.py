# SPDX-License-Identifier: Apache-2.0
"""Sales records and imports in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fakes.registry.rows import Rows, keepable
from homeport.domain.device import Device
from homeport.domain.ownership import (
    ImportState,
    SalesImport,
    SalesRecord,
    Scope,
    SerialRange,
    WholeModel,
)
from homeport.errors import Code, HomeportError


class FakeSalesRecords:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def add(self, *records: SalesRecord) -> None:
        for record in records:
            if record.tenant is not None and record.tenant not in self._rows.tenants:
                raise HomeportError(Code.TENANT_UNKNOWN, record.tenant)
            number = await self.last() + 1
            self._rows.sales.append(keepable(replace(record, number=number)))

    async def covering(self, device: Device) -> SalesRecord | None:
        read = {i.number for i in self._rows.imports.values() if i.state is ImportState.READING}
        found = [
            (record.scope.width if isinstance(record.scope, SerialRange) else 1 << 64, record)
            for record in reversed(self._rows.sales)
            if record.imported_by not in read and speaks_of(record, device)
        ]
        return min(found, key=lambda each: each[0], default=(0, None))[1]

    async def overlapping(self, *records: SalesRecord) -> Sequence[Sequence[SalesRecord]]:
        return [self._overlapping(record.scope, record.authority) for record in records]

    def _overlapping(self, scope: Scope, authority: str | None) -> Sequence[SalesRecord]:
        found = [
            record
            for record in reversed(self._rows.sales)
            if overlap(record.scope, scope)
            and (None in (authority, record.authority) or record.authority == authority)
        ]
        return found[:100]

    async def of_scope(self, scope: Scope, authority: str | None) -> Sequence[SalesRecord]:
        wanted = (scope, authority)
        found = [r for r in reversed(self._rows.sales) if (r.scope, r.authority) == wanted]
        return found[:100]

    async def of_import(self, number: int, *, after: int, limit: int) -> Sequence[SalesRecord]:
        found = [r for r in self._rows.sales if r.imported_by == number and r.number > after]
        return found[:limit]

    async def forget(self, number: int, *, after: int, limit: int) -> int:
        gone = await self.of_import(number, after=after, limit=limit)
        self._rows.sales[:] = [record for record in self._rows.sales if record not in gone]
        return len(gone)

    async def last(self) -> int:
        return max((record.number for record in self._rows.sales), default=0)


class FakeSalesImports:
    def __init__(self, rows: dict[int, SalesImport]) -> None:
        self._rows = rows

    async def begin(self, digest: str, source: str, after: int, now: datetime) -> SalesImport:
        begun = SalesImport(
            number=len(self._rows) + 1,
            digest=digest,
            source=source,
            state=ImportState.READING,
            after=after,
            changed_at=now,
        )
        self._rows[begun.number] = keepable(begun)
        return begun

    async def get(self, number: int) -> SalesImport | None:
        return self._rows.get(number)

    async def latest(self, digest: str) -> SalesImport | None:
        found = [row for row in self._rows.values() if row.digest == digest]
        return found[-1] if found else None

    async def put(self, imported: SalesImport) -> None:
        known = self._rows[imported.number]
        state, changed_at = imported.state, imported.changed_at
        self._rows[imported.number] = replace(known, state=state, changed_at=changed_at)

    async def abandoned(self, before: datetime) -> Sequence[SalesImport]:
        found = [
            row
            for row in self._rows.values()
            if row.state is ImportState.READING and row.changed_at < before
        ]
        return sorted(found, key=lambda row: row.changed_at)[:100]


def speaks_of(record: SalesRecord, device: Device) -> bool:
    if isinstance(record.scope, WholeModel):
        model = (record.scope.name, record.authority)
        return device.minted and model == (device.model, device.id.authority)
    is_ours = record.authority in (None, device.id.authority)
    return is_ours and device.id.serial_number in record.scope


def overlap(one: Scope, other: Scope) -> bool:
    if isinstance(one, SerialRange) and isinstance(other, SerialRange):
        return one.overlaps(other)
    return one == other
