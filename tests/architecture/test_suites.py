# SPDX-License-Identifier: Apache-2.0
"""No test can be forgotten: every folder of tests is in a suite that `make test` runs."""

from pathlib import Path

import pytest

from architecture.source_tree import ROOT, python_files
from tools import suites

NOT_TESTS = {"fakes", "vectors"}


def test_every_folder_is_in_a_suite():
    folders = {path.relative_to(ROOT / "tests").parts[0] for path in python_files("tests")}
    in_suites = {folder for folders in suites.SUITES.values() for folder in folders}
    assert folders - in_suites - NOT_TESTS - {"conftest.py"} == set()


def test_names_of_test_files_are_unique():
    names = [path.name for path in python_files("tests") if path.name.startswith("test_")]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def report(folder: Path, **counts: int) -> Path:
    attributes = " ".join(f'{name}="{count}"' for name, count in counts.items())
    path = folder / "report.xml"
    path.write_text(f"<testsuites><testsuite {attributes}/></testsuites>", encoding="utf-8")
    return path


def test_a_report_is_counted(tmp_path):
    path = report(tmp_path, tests=9, failures=2, errors=1, skipped=3)
    assert str(suites.counted(path)) == "2 failed, 3 passed, 3 skipped, 1 errors"


def test_a_suite_that_died_without_a_report_is_an_error(tmp_path):
    assert suites.counted(tmp_path / "none.xml").errors == 1


@pytest.mark.parametrize(
    ("counts", "line"), [((4, 0, 0, 0), "4 passed"), ((1, 1, 0, 0), "1 failed")]
)
def test_the_total_names_only_what_there_is(counts, line):
    assert str(suites.Count(*counts)) == line
