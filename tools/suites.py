# SPDX-License-Identifier: Apache-2.0
"""Run the test suites one after the other, whatever each says, and print one total.

usage: python -m tools.suites [--soak] [arguments for pytest]

In each suite two files run at a time: most tests of whole programs wait most of the time. A suite
that collects nothing is fine (arguments may have narrowed it); a run in which no test ran is not.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from xml.etree import ElementTree as ET

ROOT: Final = Path(__file__).resolve().parent.parent
REPORTS: Final = ROOT / "build" / "tests"

SUITES: Final = {
    "quick": ("unit", "contract", "conformance", "fuzz", "architecture"),
    "integration": ("integration",),
    "system": ("system",),
}
"""Run in this order: what fails in a minute is seen before what takes ten."""

WORKERS: Final = 2
"""More would make tests wait for each other, where limits of time are tested."""

NOTHING_COLLECTED: Final = 5
"""pytest's exit status when its arguments select no test."""

SOAK_ARGUMENTS: Final = ("--timeout=21600", "-m", "soak or not soak", "--hypothesis-profile=soak")
"""Six hours for one test, every mark, and properties with many more examples."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many tests ended how."""

    tests: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0

    def __add__(self, other: Self) -> "Count":
        return Count(
            self.tests + other.tests,
            self.failed + other.failed,
            self.errors + other.errors,
            self.skipped + other.skipped,
        )

    def __str__(self) -> str:
        passed = self.tests - self.failed - self.errors - self.skipped
        parts = {
            "failed": self.failed,
            "passed": passed,
            "skipped": self.skipped,
            "errors": self.errors,
        }
        return ", ".join(f"{number} {name}" for name, number in parts.items() if number)


def main() -> int:
    """Run every suite; 0 only if tests ran and none failed."""
    arguments = sys.argv[1:]
    soak = "--soak" in arguments
    if soak:
        arguments.remove("--soak")
        arguments = [*SOAK_ARGUMENTS, *arguments]
    began = time.monotonic()
    total, good = Count(), True
    for name in SUITES:
        status, count = run(name, arguments)
        total += count
        good = good and status in (0, NOTHING_COLLECTED)
    line = f" {str(total) or 'no tests ran'} in {time.monotonic() - began:.2f}s "
    print("\nAll suites:", line.center(88, "="), sep="\n", flush=True)
    return 0 if good and total.tests else 1


def run(name: str, arguments: list[str]) -> tuple[int, Count]:
    """Run one suite; return pytest's exit status and what it counted."""
    folders = [f"tests/{folder}" for folder in SUITES[name] if (ROOT / "tests" / folder).is_dir()]
    if not folders:
        return NOTHING_COLLECTED, Count()
    report = REPORTS / f"{name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    workers = min(WORKERS, os.cpu_count() or 1)
    print(f"\n--- suite: {name} ({', '.join(folders)})", flush=True)
    command = [sys.executable, "-m", "pytest", *folders, f"--numprocesses={workers}"]
    command += ["--dist=loadfile"]  # a file's fixtures are made once
    done = subprocess.run([*command, f"--junitxml={report}", *arguments], cwd=ROOT, check=False)
    return done.returncode, counted(report)


def counted(report: Path) -> Count:
    """What pytest's JUnit report says; a run that left none counts as one error."""
    if not report.exists():
        return Count(tests=1, errors=1)
    suites = ET.parse(report).getroot().iter("testsuite")  # noqa: S314 (our own file)
    return sum(
        (
            Count(*(int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")))
            for suite in suites
        ),
        Count(),
    )


if __name__ == "__main__":
    sys.exit(main())
