# SPDX-License-Identifier: Apache-2.0
"""Read sales records from CSV: docs/operate/sales.md.

Columns by name, in any order, as ERP systems write them: separated by commas, semicolons or tabs.
Every wrong line is reported, not only the first; a line that cannot be read does not hide those
after it.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeport.domain.device import AUTHORITY, check_serial_number
from homeport.domain.ownership import SalesAction, SalesRecord, Scope, SerialRange, WholeModel
from homeport.domain.tenant import check_name
from homeport.errors import Code, MalformedError

RANGE_SIGN: Final = ".."

LINE_MAX: Final = 16_384
"""Characters; the longest good line has some 600."""

REFERENCE_MAX: Final = 100
"""Characters of an order's number."""

_COLUMNS: Final = frozenset(
    {"serial_number", "model", "tenant", "upstream", "authority", "action", "reference"}
)
_SEPARATORS: Final = ",;\t"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class LineFault:
    """A line that cannot be taken, and why."""

    line: int
    """0: no line is wrong, but a device stays where it is."""
    reason: str
    code: Code = Code.SALES_MALFORMED


@dataclass(frozen=True, slots=True)
class SalesLine:
    """A line that can be read."""

    line: int
    record: SalesRecord
    former: str | None = None
    """Whose a cancellation says that the devices were."""


def read_sales(
    lines: Iterable[str], *, source: str, now: datetime
) -> Iterator[SalesLine | LineFault]:
    """Yield a record or a fault for every line; a wrong first line is the only fault then."""
    bounded = _bounded(lines)
    try:
        head = next(bounded, "").lstrip("\ufeff")
        columns, separator = _read_head(head)
    except (MalformedError, csv.Error, UnicodeDecodeError) as error:
        yield LineFault(1, _reason(error))
        return
    reader = csv.reader(bounded, delimiter=separator, strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, MalformedError, UnicodeDecodeError) as error:
            yield LineFault(reader.line_num + 1, _reason(error))
            if not isinstance(error, csv.Error):  # there is no way on
                return
        else:
            if row:
                yield read_line(columns, row, reader.line_num + 1, source=source, now=now)


def _reason(error: Exception) -> str:
    return error.detail if isinstance(error, MalformedError) else f"not CSV in UTF-8: {error}"


def parse_range(text: str) -> SerialRange:
    """Read one serial number or `first..last`; MalformedError."""
    first, sign, last = text.strip().partition(RANGE_SIGN)
    ends = SerialRange(first.strip(), last.strip() if sign else first.strip())
    check_serial_number(ends.first)
    check_serial_number(ends.last)
    return ends


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    """Refuse to hold what is no line of ours (MalformedError)."""
    for line in lines:
        if len(line) > LINE_MAX:
            raise MalformedError(
                f"more than {LINE_MAX} characters in a line: the rest was not read"
            )
        yield line


def _read_head(head: str) -> tuple[list[str], str]:
    """Return the columns' names and what separates them."""
    separator = next((sign for sign in _SEPARATORS if sign in head), ",")
    row = next(csv.reader([head], delimiter=separator, strict=True), [])
    columns = [name.strip().lower() for name in row]
    names = set(columns)
    has_scope = "serial_number" in names or "model" in names
    if not has_scope or "tenant" not in names or names - _COLUMNS or len(names) != len(columns):
        raise MalformedError(
            "the first line must name the columns: serial_number or model, tenant, and perhaps"
            " upstream, authority, action, reference",
            Code.SALES_MALFORMED,
        )
    return columns, separator


def read_line(
    columns: list[str], row: list[str], line: int, *, source: str, now: datetime
) -> SalesLine | LineFault:
    """Read one line's cells."""
    if len(row) != len(columns):
        return LineFault(line, f"{len(row)} cells instead of {len(columns)}")
    cells = dict(zip(columns, (cell.strip() for cell in row), strict=True))
    try:
        return read_cells(cells, line, f"{source}, line {line}", now)
    except MalformedError as error:
        return LineFault(line, error.detail)


def read_cells(cells: Mapping[str, str], line: int, source: str, now: datetime) -> SalesLine:
    """Read named cells, which may be missing or empty; MalformedError."""
    if _SURROGATE.search("".join(cells.values())):
        raise MalformedError("not UTF-8")
    action = _action(cells.get("action", ""))
    tenant = cells.get("tenant") or None
    if tenant is not None:
        check_name(tenant, "tenant")
    elif action is not SalesAction.CANCELLATION:
        raise MalformedError("the tenant is missing")
    upstream = cells.get("upstream") or None
    is_cancelled = action is SalesAction.CANCELLATION
    scope, authority = _scope(cells)
    record = SalesRecord(
        scope=scope,
        tenant=None if is_cancelled else tenant,
        upstream=check_name(upstream, "upstream") if upstream and not is_cancelled else None,
        authority=authority,
        action=action,
        reference=_reference(cells.get("reference") or None),
        recorded_at=now,
        source=source,
    )
    return SalesLine(line, record, tenant if is_cancelled else None)


def _scope(cells: Mapping[str, str]) -> tuple[Scope, str | None]:
    authority = cells.get("authority") or None
    if authority is not None and not AUTHORITY.fullmatch(authority):
        raise MalformedError("an authority is 16 characters of base32")
    serial_number, model = cells.get("serial_number", ""), cells.get("model", "")
    if bool(serial_number) == bool(model):
        raise MalformedError("give a serial number (or range), or a model: one of the two")
    if serial_number:
        return parse_range(serial_number), authority
    if authority is None:
        raise MalformedError("a model needs its authority: other makers may call theirs so too")
    return WholeModel(model), authority


def _action(text: str) -> SalesAction:
    try:
        return SalesAction(text.lower() or SalesAction.SALE)
    except ValueError as error:
        words = ", ".join(SalesAction)
        raise MalformedError(f"the action {text[:30]!r} is none of {words}") from error


def _reference(text: str | None) -> str | None:
    if text is not None and not (len(text) <= REFERENCE_MAX and text.isprintable()):
        raise MalformedError(f"a reference has up to {REFERENCE_MAX} printable characters")
    return text
