# SPDX-License-Identifier: Apache-2.0
"""Which devices were sold to whom, also before they were ever seen.

Intervals are hard for a B-tree: "first <= x" alone holds for half of all records. But the ends of a
range begin alike (the stem), and whatever lies between them begins so too. So the records that may
speak of a serial number are those whose stem is one of its beginnings: a dozen exact look-ups,
whether there are ten records or a million.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import column, delete, func, or_, select, text
from sqlalchemy import values as listed

from homeport.domain.device import Device
from homeport.domain.ownership import (
    SalesAction,
    SalesRecord,
    Scope,
    SerialRange,
    WholeModel,
    only_serial,
)
from homeport.errors import Code
from homeport.storage.compiled import (
    BATCH_NAMES,
    ONE,
    ZERO,
    Statement,
    Values,
    addition,
    batches,
    named,
    query,
)
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.schema import sales_imports, sales_records
from homeport.storage.schema.columns import TEXT
from homeport.storage.schema.sales import OF_MODELS, READING

OVERLAPS_MAX: Final = 100
"""As many as a person may want to read."""

_sales = sales_records.c
_COLUMNS: Final = [
    _sales.number,
    _sales.first,
    _sales.last,
    _sales.model,
    _sales.authority,
    _sales.tenant,
    _sales.upstream,
    _sales.action,
    _sales.reference,
    _sales.recorded_at,
    _sales.source,
    _sales.imported_by,
]
_LATEST_FIRST: Final = _sales.number.desc()
_ROWS: Final = select(*_COLUMNS)
_OF_RANGES: Final = _ROWS.where(
    _sales.length == named("length"), _sales.first <= named("last"), _sales.last >= named("first")
)
_OF_AUTHORITY: Final = or_(
    _sales.authority.is_(None),
    _sales.authority == named("authority"),
    named("authority").is_(None),
)
"""A record without authority speaks of all; who asks without one wants all records."""
_IS_READ: Final = select(ONE).where(
    sales_imports.c.number == _sales.imported_by, text(f"sales_imports.{READING}")
)
_COUNTS: Final = or_(_sales.imported_by.is_(None), ~_IS_READ.correlate(sales_records).exists())
_OF_MODEL: Final = _ROWS.where(
    _sales.model == named("model"), _sales.authority == named("authority"), text(OF_MODELS)
).order_by(_LATEST_FIRST)

_COVERING_MODEL: Final = query(_OF_MODEL.where(_COUNTS).limit(ONE).offset(ZERO))
_OF_THIS_MODEL: Final = query(_OF_MODEL.limit(named("limit")).offset(ZERO))
_OF_THIS_RANGE: Final = query(
    _ROWS.where(
        _sales.stem == named("stem"),
        _sales.length == named("length"),
        _sales.first == named("first"),
        _sales.last == named("last"),
        _sales.authority.is_not_distinct_from(named("authority")),
    )
    .order_by(_LATEST_FIRST)
    .limit(named("limit"))
    .offset(ZERO)
)
_WITHIN: Final = query(
    _OF_RANGES.where(_sales.stem > named("stem"), _sales.stem < named("beyond"), _OF_AUTHORITY)
    .order_by(_sales.stem)
    .limit(named("limit"))
    .offset(ZERO)
)
_OF_IMPORT: Final = query(
    _ROWS.where(_sales.number > named("after"), _sales.imported_by == named("import_"))
    .order_by(_sales.number)
    .limit(named("limit"))
    .offset(ZERO)
)
_some = (
    select(_sales.number)
    .where(_sales.number > named("after"), _sales.imported_by == named("import_"))
    .order_by(_sales.number)
    .limit(named("limit"))
    .offset(ZERO)
)
_FORGET: Final = query(delete(sales_records).where(_sales.number.in_(_some.correlate(None))))
_LAST: Final = query(select(func.max(_sales.number)))
_asked = listed(column("stem", TEXT)).data([(named(name),) for name in BATCH_NAMES]).cte("asked")
_STEMS_IN_USE: Final = query(
    select(_asked.c.stem).where(
        # Records of whole models have no stem: theirs is empty, and so is their length.
        select(ONE).where(_sales.stem == _asked.c.stem, _sales.length > ZERO).exists()
    )
)
_ADD: Final = addition(sales_records, without=["number"], absent=Code.TENANT_UNKNOWN)


@cache
def _beginning_with(count: int) -> Statement:
    """Records whose stem is one of so many texts, latest first."""
    texts = [named(f"stem{number}") for number in range(count)]
    rows = _OF_RANGES.where(_sales.stem.in_(texts), _OF_AUTHORITY)
    return query(rows.order_by(_LATEST_FIRST))


@cache
def _counting(count: int) -> Statement:
    """The same, without imports that are still being read."""
    texts = [named(f"stem{number}") for number in range(count)]
    rows = _OF_RANGES.where(_sales.stem.in_(texts), _OF_AUTHORITY, _COUNTS)
    return query(rows.order_by(_LATEST_FIRST))


class SqlSalesRecords:
    """The port `SalesRecords`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def add(self, *records: SalesRecord) -> None:
        """Keep records; their numbers are given by the database."""
        await self._connection.run_many(_ADD, map(_values, records))

    async def covering(self, device: Device) -> SalesRecord | None:
        """Return the record that decides about the device: the narrowest, then the latest."""
        serial, authority = device.id.serial_number, device.id.authority
        rows = await self._connection.rows(
            _counting(len(serial) + 1), _beginnings(SerialRange(serial, serial), authority)
        )
        ranges = [(record.scope, record) for record in map(_record, rows)]
        found = [
            (scope.width, -record.number, record)
            for scope, record in ranges
            if isinstance(scope, SerialRange) and serial in scope
        ]
        if found:
            return min(found)[2]
        if not device.minted:
            return None
        values = {"model": device.model, "authority": authority}
        row = await self._connection.row(_COVERING_MODEL, values)
        return _record(row) if row else None

    async def overlapping(self, *records: SalesRecord) -> Sequence[Sequence[SalesRecord]]:
        """Return for each the kept ones that could speak of the same devices (at most 100)."""
        free = await self._spoken_of_by_none(records) if len(records) > 1 else ()
        return [
            [] if record.scope in free else await self._overlapping(record.scope, record.authority)
            for record in records
        ]

    async def _spoken_of_by_none(self, records: Sequence[SalesRecord]) -> set[Scope]:
        """Return the single serial numbers of which no beginning is a kept record's stem.

        Serial numbers of one file begin alike: that is little more than one look-up for each.
        """
        serials = {serial: r.scope for r in records if (serial := only_serial(r.scope)) is not None}
        stems = {serial[:end] for serial in serials for end in range(len(serial) + 1)}
        in_use: set[str] = set()
        for some in batches(stems):
            in_use.update(row[0] for row in await self._connection.rows(_STEMS_IN_USE, some))
        return {
            scope
            for serial, scope in serials.items()
            if not any(serial[:end] in in_use for end in range(len(serial) + 1))
        }

    async def _overlapping(self, scope: Scope, authority: str | None) -> Sequence[SalesRecord]:
        if isinstance(scope, WholeModel):
            return await self.of_scope(scope, authority)
        stem = stem_of(scope)
        values = {
            **_beginnings(scope, authority),
            "stem": stem,
            "beyond": stem + chr(0x10FFFF),
            "limit": OVERLAPS_MAX,
        }
        rows = list(await self._connection.rows(_beginning_with(len(stem) + 1), values))
        if scope.first != scope.last:  # nothing lies within a single one
            rows += await self._connection.rows(_WITHIN, values)
        return [_record(row) for row in rows[:OVERLAPS_MAX]]

    async def of_scope(self, scope: Scope, authority: str | None) -> Sequence[SalesRecord]:
        """Return records of exactly this scope and authority (at most 100), latest first."""
        values: dict[str, str | int | None] = {"authority": authority, "limit": OVERLAPS_MAX}
        if isinstance(scope, WholeModel):
            rows = await self._connection.rows(_OF_THIS_MODEL, values | {"model": scope.name})
        else:
            rows = await self._connection.rows(_OF_THIS_RANGE, values | _ends(scope))
        return [_record(row) for row in rows]

    async def of_import(self, number: int, *, after: int, limit: int) -> Sequence[SalesRecord]:
        """Return the records of an import, by number, beyond `after`."""
        values = {"import_": number, "after": after, "limit": limit}
        return [_record(row) for row in await self._connection.rows(_OF_IMPORT, values)]

    async def forget(self, number: int, *, after: int, limit: int) -> int:
        """Forget some records of an import; return how many there were."""
        return await self._connection.run(
            _FORGET, {"import_": number, "after": after, "limit": limit}
        )

    async def last(self) -> int:
        """Return the number of the newest record, 0 when there is none."""
        row = await self._connection.row(_LAST, {})
        return int(row[0] or 0) if row else 0


def stem_of(serial_numbers: SerialRange) -> str:
    """Return what both ends begin with, and so all that lies between."""
    first, last = serial_numbers.first, serial_numbers.last
    if first == last:
        return first
    differs = (
        end for end, (one, other) in enumerate(zip(first, last, strict=True)) if one != other
    )
    return first[: next(differs)]


def _ends(scope: SerialRange) -> dict[str, str | int | None]:
    length = len(scope.first)
    return {"stem": stem_of(scope), "length": length, "first": scope.first, "last": scope.last}


_NO_ENDS: Final = {"stem": "", "length": 0, "first": "", "last": ""}


def _values(record: SalesRecord) -> Values:
    """The row of a record."""
    scope = record.scope
    ends = _ends(scope) if isinstance(scope, SerialRange) else _NO_ENDS
    return {
        **ends,
        "model": scope.name if isinstance(scope, WholeModel) else None,
        "authority": record.authority,
        "tenant": record.tenant,
        "upstream": record.upstream,
        "action": record.action.value,
        "reference": record.reference,
        "recorded_at": to_micros(record.recorded_at),
        "source": record.source,
        "imported_by": record.imported_by,
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


def _record(row: Row) -> SalesRecord:
    number, first, last, model, authority, tenant, upstream, action, *rest = row
    reference, recorded_at, source, imported_by = rest
    return SalesRecord(
        scope=SerialRange(first, last) if model is None else WholeModel(model),
        tenant=tenant,
        upstream=upstream,
        authority=authority,
        action=SalesAction(action),
        reference=reference,
        recorded_at=to_instant(recorded_at),
        source=source,
        number=number,
        imported_by=imported_by,
    )
