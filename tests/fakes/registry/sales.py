# SPDX-License-Identifier: Apache-2.0
"""Sales records in memory."""

from collections.abc import Iterable, Sequence

from fakes.registry.rows import Rows, keepable
from homeport.domain.device import Device
from homeport.domain.ownership import SalesRecord, SerialRange
from homeport.errors import Code, HomeportError


class FakeSalesRecords:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def add(self, records: Iterable[SalesRecord]) -> int:
        new = 0
        for record in records:
            if record.tenant not in self._rows.tenants:
                raise HomeportError(Code.TENANT_UNKNOWN, record.tenant)
            same = [
                other
                for other in self._latest_first()
                if (other.serial_numbers, other.authority)
                == (record.serial_numbers, record.authority)
            ]
            if same and (same[0].tenant, same[0].upstream) == (record.tenant, record.upstream):
                continue
            self._rows.sales.append(keepable(record))
            new += 1
        return new

    async def covering(self, device: Device) -> SalesRecord | None:
        records = [
            record
            for record in self._latest_first()
            if device.id.serial_number in record.serial_numbers
            and record.authority in (None, device.id.authority)
        ]
        return min(records, key=lambda record: width(record.serial_numbers), default=None)

    async def overlapping(
        self, serial_numbers: SerialRange, authority: str | None
    ) -> Sequence[SalesRecord]:
        found = [
            record
            for record in self._rows.sales
            if record.serial_numbers.overlaps(serial_numbers)
            and (None in (authority, record.authority) or record.authority == authority)
        ]
        return found[:100]

    def _latest_first(self) -> list[SalesRecord]:
        latest = list(reversed(self._rows.sales))
        return sorted(latest, key=lambda record: record.recorded_at, reverse=True)


def width(serial_numbers: SerialRange) -> int:
    """How many serial numbers a range has, less one."""
    first, last = serial_numbers.first, serial_numbers.last
    while first and first[0] == last[0]:
        first, last = first[1:], last[1:]
    return int(last or "0") - int(first or "0")
