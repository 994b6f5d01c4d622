# SPDX-License-Identifier: Apache-2.0
"""Which devices were sold to whom, also before they were ever seen.

Intervals are hard for a B-tree: "first <= x" alone holds for half of all records. But the ends of a
range begin alike (the stem), and whatever lies between them begins so too. So the records that may
speak of a serial number are those whose stem is one of its beginnings: a dozen exact look-ups,
whether there are ten records or a million.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from sqlalchemy import or_, select

from homeport.domain.device import Device
from homeport.domain.ownership import SalesRecord, SerialRange
from homeport.errors import Code
from homeport.storage.compiled import ONE, ZERO, Statement, Values, addition, named, query
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.schema import sales_records

OVERLAPS_MAX: Final = 100
"""As many as a person may want to read."""

_sales = sales_records.c
_COLUMNS: Final = [
    _sales.first,
    _sales.last,
    _sales.authority,
    _sales.tenant,
    _sales.upstream,
    _sales.recorded_at,
    _sales.source,
]
_ORDER: Final = (_sales.recorded_at.desc(), _sales.number.desc())
_ALL: Final = select(*_COLUMNS).where(
    _sales.length == named("length"), _sales.first <= named("last"), _sales.last >= named("first")
)
_OF_AUTHORITY: Final = or_(
    _sales.authority.is_(None),
    _sales.authority == named("authority"),
    named("authority").is_(None),
)
"""A record without authority speaks of all; who asks without one wants all records."""
_LATEST_OF_RANGE: Final = query(
    select(_sales.tenant, _sales.upstream)
    .where(
        _sales.stem == named("stem"),
        _sales.first == named("first"),
        _sales.last == named("last"),
        _sales.authority.is_not_distinct_from(named("authority")),
    )
    .order_by(*_ORDER)
    .limit(ONE)
    .offset(ZERO)
)
_WITHIN: Final = query(
    _ALL.where(
        _sales.stem > named("stem"),
        _sales.stem < named("beyond"),
        _OF_AUTHORITY,
    )
    .order_by(_sales.stem)
    .limit(named("limit"))
    .offset(ZERO)
)
_ADD: Final = addition(sales_records, without=["number"], absent=Code.TENANT_UNKNOWN)


@cache
def _beginning_with(count: int) -> Statement:
    """Records whose stem is one of so many texts, latest first."""
    texts = [named(f"stem{number}") for number in range(count)]
    return query(
        _ALL.where(
            _sales.stem.in_(texts),
            _OF_AUTHORITY,
        ).order_by(*_ORDER)
    )


class SqlSalesRecords:
    """The port `SalesRecords`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def add(self, records: Iterable[SalesRecord]) -> int:
        """Keep a few records; return how many said something new."""
        new = 0
        for record in records:
            values = _values(record)
            row = await self._connection.row(_LATEST_OF_RANGE, values)
            if row != (record.tenant, record.upstream):
                new += await self._connection.run(_ADD, values)
        return new

    async def covering(self, device: Device) -> SalesRecord | None:
        """Return the record that speaks of the device; the narrowest wins, then the latest."""
        serial = device.id.serial_number
        rows = await self._connection.rows(
            _beginning_with(len(serial) + 1),
            _beginnings(SerialRange(serial, serial), device.id.authority),
        )
        records = [record for row in rows if serial in (record := _record(row)).serial_numbers]
        return min(records, key=lambda record: _width(record.serial_numbers), default=None)

    async def overlapping(
        self, serial_numbers: SerialRange, authority: str | None
    ) -> Sequence[SalesRecord]:
        """Return records that could speak of the same devices (at most 100)."""
        stem = stem_of(serial_numbers)
        values = {
            **_beginnings(serial_numbers, authority),
            "stem": stem,
            "beyond": stem + chr(0x10FFFF),
            "limit": OVERLAPS_MAX,
        }
        rows = [
            *await self._connection.rows(_beginning_with(len(stem) + 1), values),
            *await self._connection.rows(_WITHIN, values),
        ]
        return [_record(row) for row in rows[:OVERLAPS_MAX]]


def stem_of(serial_numbers: SerialRange) -> str:
    """Return what both ends begin with, and so all that lies between."""
    first, last = serial_numbers.first, serial_numbers.last
    if first == last:
        return first
    differs = (
        end for end, (one, other) in enumerate(zip(first, last, strict=True)) if one != other
    )
    return first[: next(differs)]


def _values(record: SalesRecord) -> Values:
    """The row of a record."""
    first, last = record.serial_numbers.first, record.serial_numbers.last
    return {
        "stem": stem_of(record.serial_numbers),
        "length": len(first),
        "first": first,
        "last": last,
        "authority": record.authority,
        "tenant": record.tenant,
        "upstream": record.upstream,
        "recorded_at": to_micros(record.recorded_at),
        "source": record.source,
    }


def _beginnings(serial_numbers: SerialRange, authority: str | None) -> dict[str, str | int | None]:
    stem = stem_of(serial_numbers)
    return {
        "length": len(serial_numbers.first),
        "first": serial_numbers.first,
        "last": serial_numbers.last,
        "authority": authority,
        **{f"stem{end}": stem[:end] for end in range(len(stem) + 1)},
    }


def _width(serial_numbers: SerialRange) -> int:
    """How many serial numbers the range has, less one."""
    stem = stem_of(serial_numbers)
    first, last = serial_numbers.first[len(stem) :], serial_numbers.last[len(stem) :]
    return int(last or "0") - int(first or "0")


def _record(row: Row) -> SalesRecord:
    first, last, authority, tenant, upstream, recorded_at, source = row
    return SalesRecord(
        serial_numbers=SerialRange(first, last),
        tenant=tenant,
        upstream=upstream,
        authority=authority,
        recorded_at=to_instant(recorded_at),
        source=source,
    )
