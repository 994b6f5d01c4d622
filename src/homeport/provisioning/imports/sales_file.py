# SPDX-License-Identifier: Apache-2.0
"""Read sales records from CSV: docs/operate/sales.md.

Columns by name, in any order: `serial_number` (one, or a range `EX-000001..EX-000500`), `tenant`,
and optionally `upstream` and `authority`. Every wrong line is reported, not only the first.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeport.domain.device import AUTHORITY, check_serial_number
from homeport.domain.ownership import SalesRecord, SerialRange
from homeport.domain.tenant import check_name
from homeport.errors import Code, MalformedError

RANGE_SIGN: Final = ".."

_REQUIRED: Final = frozenset({"serial_number", "tenant"})
_OPTIONAL: Final = frozenset({"upstream", "authority"})


@dataclass(frozen=True, slots=True)
class LineFault:
    """A line that cannot be taken, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class SalesLine:
    """A line that can be read."""

    line: int
    record: SalesRecord


def read_sales(
    lines: Iterable[str], *, source: str, now: datetime
) -> Iterator[SalesLine | LineFault]:
    """Yield a record or a fault for every line; a wrong first line is the only fault then."""
    reader = csv.reader(lines, strict=True)
    try:
        columns = [name.strip().lower().lstrip("\ufeff") for name in next(reader, [])]
        _check_columns(columns)
        for row in reader:
            if row:
                yield _read_line(columns, row, reader.line_num, source, now)
    except MalformedError as error:
        yield LineFault(max(reader.line_num, 1), error.detail)
    except (csv.Error, UnicodeDecodeError) as error:
        yield LineFault(max(reader.line_num, 1), f"not CSV in UTF-8: {error}")


def parse_range(text: str) -> SerialRange:
    """Read one serial number or `first..last`; MalformedError."""
    first, sign, last = text.strip().partition(RANGE_SIGN)
    ends = SerialRange(first.strip(), last.strip() if sign else first.strip())
    check_serial_number(ends.first)
    check_serial_number(ends.last)
    return ends


def _check_columns(columns: list[str]) -> None:
    missing, unknown = _REQUIRED - set(columns), set(columns) - _REQUIRED - _OPTIONAL
    if missing or unknown or len(set(columns)) != len(columns):
        raise MalformedError(
            "the first line must name the columns serial_number and tenant, and perhaps upstream"
            " and authority",
            Code.SALES_MALFORMED,
        )


def _read_line(
    columns: list[str], row: list[str], line: int, source: str, now: datetime
) -> SalesLine | LineFault:
    if len(row) != len(columns):
        return LineFault(line, f"{len(row)} cells instead of {len(columns)}")
    cells = dict(zip(columns, (cell.strip() for cell in row), strict=True))
    try:
        return SalesLine(line, _record(cells, f"{source}, line {line}", now))
    except MalformedError as error:
        return LineFault(line, error.detail)


def _record(cells: dict[str, str], source: str, now: datetime) -> SalesRecord:
    authority = cells.get("authority") or None
    if authority is not None and not AUTHORITY.fullmatch(authority):
        raise MalformedError("an authority is 16 characters of base32")
    upstream = cells.get("upstream") or None
    return SalesRecord(
        serial_numbers=parse_range(cells["serial_number"]),
        tenant=check_name(cells["tenant"], "tenant"),
        upstream=check_name(upstream, "upstream") if upstream else None,
        authority=authority,
        recorded_at=now,
        source=source,
    )
