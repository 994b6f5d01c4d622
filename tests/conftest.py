# SPDX-License-Identifier: Apache-2.0
"""What all suites share: real tokens, repeatable properties, and no silent skips in CI."""

import os
from collections.abc import Generator
from datetime import timedelta

import pytest
from hypothesis import settings

from homeport.demo import stage

pytest_plugins = ("fakes.softhsm",)

# Derandomised: what fails here fails on the next machine too. No deadline: machines are shared.
settings.register_profile("test", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=timedelta(seconds=10), max_examples=20_000)
settings.load_profile("test")

# Who runs beside another has every second port: one that was given is not yet taken.
if worker := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw"):
    workers = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    stage.PORTS = stage.PORTS[int(worker) :: workers]


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """In CI a skipped test is a failed one: a missing component must not look like success."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: CI allows no skips: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at every test that was run, or was not."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Look at every file that was read, or skips itself."""
    report = yield
    _refuse_skip(report)
    return report
