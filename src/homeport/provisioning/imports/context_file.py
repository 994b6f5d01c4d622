# SPDX-License-Identifier: Apache-2.0
"""Contexts as CSV, read and written: docs/operate/context.md.

Columns by name, in any order: `serial_number`, and optionally `authority`, `name`, `tags`,
`location`, `latitude`, `longitude` and any number of `attributes.NAME`. Every wrong line is told.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TextIO

from homeport.domain.context.context import Context
from homeport.domain.device import AUTHORITY, check_serial_number
from homeport.errors import MalformedError
from homeport.provisioning.imports.cells import (
    cell_of,
    tags_cell,
    tags_of,
    text_cell,
    text_of,
    value_of,
)
from homeport.provisioning.imports.sales_file import LineFault

ATTRIBUTE: Final = "attributes."
"""Before an attribute's name."""
COLUMNS_MAX: Final = 250
CELL_MAX: Final = 32_768
"""Characters: what a spreadsheet holds, and more than all attributes together may have."""
LINE_MAX: Final = 2 * CELL_MAX
"""Characters of a line: all that one device may have, twice."""
_PLAIN: Final = ("serial_number", "authority", "name", "tags", "location", "latitude", "longitude")


@dataclass(frozen=True, slots=True)
class ContextLine:
    """A line that can be read; its attributes are read when their types are known."""

    line: int
    cells: Mapping[str, str]
    """By column; empty ones are left out."""

    @property
    def serial_number(self) -> str:
        """Of the device."""
        return self.cells["serial_number"]

    @property
    def authority(self) -> str | None:
        """Of the device, if it is named."""
        return self.cells.get("authority")

    def patch(self, kinds: Mapping[str, str]) -> dict[str, Any]:
        """Return the merge patch that it means; `kinds` are the types of the schema."""
        patch: dict[str, Any] = {}
        if "name" in self.cells:
            patch["name"] = text_of(self.cells["name"])
        if "tags" in self.cells:
            patch["tags"] = tags_of(self.cells["tags"])
        location = {
            name: value_of(self.cells[column], kind)
            for column, name, kind in (
                ("location", "text", "string"),
                ("latitude", "latitude", "number"),
                ("longitude", "longitude", "number"),
            )
            if column in self.cells
        }
        attributes = {
            column.removeprefix(ATTRIBUTE): value_of(
                cell, kinds.get(column.removeprefix(ATTRIBUTE))
            )
            for column, cell in self.cells.items()
            if column.startswith(ATTRIBUTE)
        }
        wholes = {"location": location, "attributes": attributes}
        return patch | {name: value for name, value in wholes.items() if value}


def lines_of(file: TextIO) -> Iterator[str]:
    """Yield a file's lines, and hold none that is longer than any of ours (MalformedError)."""
    while line := file.readline(LINE_MAX + 1):
        if len(line) > LINE_MAX:
            raise MalformedError(
                f"more than {LINE_MAX} characters in a line: the rest was not read"
            )
        yield line


def read_contexts(lines: Iterable[str]) -> Iterator[ContextLine | LineFault]:
    """Yield a line or a fault for each; a wrong first line is the only fault then."""
    reader = csv.reader(lines, strict=True)
    try:
        columns = [name.strip().lstrip("\ufeff") for name in next(reader, [])]
        _check_columns(columns)
        for row in reader:
            if row:
                yield _read_line(columns, row, reader.line_num)
    except MalformedError as error:
        yield LineFault(max(reader.line_num, 1), error.detail)
    except (csv.Error, UnicodeDecodeError) as error:
        yield LineFault(max(reader.line_num, 1), f"not CSV in UTF-8: {error}")


def write_contexts(contexts: Sequence[Context]) -> Iterator[str]:
    """Yield the lines of a file that `read_contexts` reads alike."""
    names = sorted({name for context in contexts for name in context.attributes})
    columns = [*_PLAIN, *(ATTRIBUTE + name for name in names)]
    yield _line(columns)
    for context in contexts:
        yield _line([_cells(context).get(column, "") for column in columns])


def _cells(context: Context) -> dict[str, str]:
    place = context.location
    coordinates = {"latitude": place.latitude, "longitude": place.longitude}
    return {
        "serial_number": text_cell(context.device.serial_number),
        "authority": context.device.authority,
        "name": text_cell(context.name) if context.name else "",
        "tags": tags_cell(context.tags),
        "location": text_cell(place.text) if place.text else "",
        **{name: cell_of(value) for name, value in coordinates.items() if value is not None},
        **{ATTRIBUTE + name: cell_of(value) for name, value in context.attributes.items()},
    }


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _check_columns(columns: Sequence[str]) -> None:
    unknown = [name for name in columns if name not in _PLAIN and not name.startswith(ATTRIBUTE)]
    if "serial_number" not in columns or unknown or len(set(columns)) != len(columns):
        wrong = f"; unknown: {', '.join(map(repr, unknown[:5]))}" if unknown else ""
        raise MalformedError(
            f"the first line names the columns: serial_number, and any of {', '.join(_PLAIN[1:])}"
            f" and {ATTRIBUTE}NAME, each once{wrong}"
        )
    if len(columns) > COLUMNS_MAX:
        raise MalformedError(f"more than {COLUMNS_MAX} columns")


def _read_line(columns: Sequence[str], row: Sequence[str], line: int) -> ContextLine | LineFault:
    if len(row) != len(columns):
        return LineFault(line, f"{len(row)} cells instead of {len(columns)}")
    if any(len(cell) > CELL_MAX for cell in row):
        return LineFault(line, f"a cell of more than {CELL_MAX} characters")
    cells = {name: cell.strip() for name, cell in zip(columns, row, strict=True) if cell.strip()}
    try:
        cells["serial_number"] = text_of(cells.get("serial_number", "")) or ""
        check_serial_number(cells["serial_number"])
    except MalformedError as error:
        return LineFault(line, error.detail)
    if not AUTHORITY.fullmatch(cells.get("authority", "a" * 16)):
        return LineFault(line, "an authority is 16 characters of base32")
    return ContextLine(line, cells)
