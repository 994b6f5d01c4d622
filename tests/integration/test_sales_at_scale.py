# SPDX-License-Identifier: Apache-2.0
"""A sales file of a million lines, three of them wrong, at a platform with a million devices.

`homeport sales import` runs as a process: what it needs of memory, and what a SIGKILL leaves of its
work, are its own. Each good line names a registered device, which is told: the slowest kind.
"""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.sales_site import SalesSite
from fakes.waiting import wait_until
from homeport.server.cli.imports.sales import SOME_FAILED

pytestmark = pytest.mark.slow

PEAK_MB = 250
"""Of resident memory, however many lines there are: Python, its modules, and SQLite's pages."""
HALFWAY_SECONDS = 3600.0
"""For half of a million devices to be told; a busy machine manages 500 a second."""

OWNED = "SELECT count(*) FROM devices WHERE tenant = 'acme' AND ownership = 'owned' AND epoch = 1"
TAKEN = "SELECT count(*) FROM devices WHERE tenant IS NOT NULL"
KEPT = "SELECT count(*) FROM sales_records"
TOLD = "SELECT count(*) FROM audit_events WHERE name = 'device:assigned'"
LAST_KEPT = "SELECT max(number) FROM sales_records"
LAST_TOLD = "SELECT max(cursor) FROM audit_events"
DECIDED = "SELECT count(*) FROM sales_imports WHERE state <> 'reading'"


@pytest.fixture(scope="module", params=[3_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SalesSite]:
    site = SalesSite.make(tmp_path_factory.mktemp("made"), request.param)
    yield site
    shutil.rmtree(site.directory)  # half a gigabyte


@pytest.fixture
def copies(tmp_path: Path) -> Iterator[Path]:
    """A folder for copies, each of which becomes a gigabyte."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def assert_names_the_wrong(site: SalesSite, report: Path) -> None:
    """The report has the wrong lines, each with code and reason, and no other."""
    with report.open(newline="", encoding="utf-8") as file:
        rows = {int(row["line"]): (row["code"], row["reason"]) for row in csv.DictReader(file)}
    assert rows == {line: (wrong.code, wrong.reason) for line, wrong in site.wrong.items()}


def assert_is_done(site: SalesSite) -> None:
    """All good lines count, and each of their devices was told so, once."""
    assert [site.number(query) for query in (OWNED, TAKEN, KEPT, TOLD)] == [site.good] * 4


def test_all_or_none_takes_none_and_names_the_three(made: SalesSite, copies: Path) -> None:
    site, report = made.copy(copies / "site"), copies / "report.csv"
    importing = site.imports("--report", report)
    status, said = importing.ends()
    assert (status, said["error"]["code"]) == (1, "sales-conflict")
    assert all(f"line {line}: " in said["error"]["detail"] for line in site.wrong)
    assert_names_the_wrong(site, report)
    assert [site.number(query) for query in (TAKEN, KEPT, TOLD)] == [0, 0, 0]
    assert importing.peak_mb < PEAK_MB


def test_good_lines_are_taken_also_by_an_import_that_is_killed_twice(
    made: SalesSite, copies: Path
) -> None:
    site, report = made.copy(copies / "site"), copies / "report.csv"
    importing = site.imports("--good-lines", "--report", report)
    status, said = importing.ends()
    assert status == SOME_FAILED
    counts = ("records", "new", "assigned", "failed")
    assert [said[name] for name in counts] == [site.good, site.good, site.good, 3]
    assert_names_the_wrong(site, report)
    assert_is_done(site)
    assert importing.peak_mb < PEAK_MB

    killed = made.copy(copies / "killed")
    kill_twice(killed)
    last = killed.imports("--good-lines")
    status, said = last.ends()
    assert (status, said["records"], said["failed"]) == (SOME_FAILED, killed.good, 3)
    assert {fault["line"] for fault in said["faults"]} == set(killed.wrong)
    assert_is_done(killed)
    assert killed.state() == site.state()
    assert last.peak_mb < PEAK_MB


def kill_twice(site: SalesSite) -> None:
    """Kill an import while it reads the file, and the next while it tells the devices."""
    half, before = site.count // 2, site.number(LAST_TOLD)
    reading = site.imports("--good-lines")
    wait_until(lambda: site.number(LAST_KEPT) > half, HALFWAY_SECONDS)
    reading.is_killed()
    # No record counts before all of them do.
    assert site.number(DECIDED) or not site.number(TAKEN)
    telling = site.imports("--good-lines")
    wait_until(lambda: site.number(LAST_TOLD) > before + half, HALFWAY_SECONDS)
    telling.is_killed()
    assert half <= site.number(TAKEN) < site.good
