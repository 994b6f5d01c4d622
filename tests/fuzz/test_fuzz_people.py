# SPDX-License-Identifier: Apache-2.0
"""Fuzz targets for what people bring: sales records, and ranges of serial numbers."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fuzz.mutate import fuzz
from homeport.domain.ownership import SalesRecord, SerialRange
from homeport.errors import MalformedError
from homeport.provisioning.imports.sales_file import SalesLine, parse_range, read_sales

CORPUS: Final = Path(__file__).parent / "corpus"
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


def read(octets: bytes) -> None:
    """Every line is a record or a fault; a file without a record counts as refused."""
    lines = (line.decode("utf-8", "surrogateescape") for line in io.BytesIO(octets))
    found = list(read_sales(lines, source="sales.csv", now=NOW))
    records = [line.record for line in found if isinstance(line, SalesLine)]
    if not records:
        raise MalformedError("no record")
    for record in records:
        check(record)


def check(record: SalesRecord) -> None:
    """What was taken can be used: both ends are in their range, and it overlaps itself."""
    if isinstance(record.scope, SerialRange):
        check_range(record.scope)
    assert record.tenant is None or record.tenant.isascii()


def check_range(numbers: SerialRange) -> None:
    assert numbers.first in numbers
    assert numbers.last in numbers
    assert numbers.overlaps(numbers)
    assert numbers.width >= 0


def test_sales_records() -> None:
    assert fuzz(read, CORPUS / "sales", allowed=(MalformedError,)) > 0


def test_serial_ranges() -> None:
    def parse(octets: bytes) -> None:
        check_range(parse_range(octets.decode("utf-8", "replace")))

    assert fuzz(parse, CORPUS / "serial-range", allowed=(MalformedError,)) > 0
