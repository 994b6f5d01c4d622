# SPDX-License-Identifier: Apache-2.0
"""First boot with a clock that is years wrong, against a real platform and a real broker."""

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.live import LiveFactory, LivePlatform
from fakes.waiting import wait_until

LIBRARY = next(
    iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), Path("/usr/lib/none")
)
LONG_AGO = "@1971-03-04 05:06:07"


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[tuple[LivePlatform, Path]]:
    if not LIBRARY.exists() or not shutil.which("setpriv"):
        pytest.skip("libfaketime or setpriv is not installed")
    place = tmp_path / "platform"
    place.mkdir()
    with LivePlatform(place) as made:
        made.operate("tenant", "add", "acme")
        (home,) = LiveFactory(tmp_path / "factory", made).mint(1)
        made.sell(tomllib.loads((home / "device.toml").read_text())["serial_number"], "acme")
        yield made, home


@contextmanager
def agent_in_1971(
    kind: str, platform: LivePlatform, home: Path, state: Path
) -> Iterator[subprocess.Popen[bytes]]:
    told = state.with_suffix(".time")
    told.write_text(LONG_AGO)
    environment = {
        **os.environ,
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(told),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [
        "setpriv", "--bounding-set", "-sys_time", "--inh-caps", "-sys_time",
        sys.executable, "-m", "fakes.agent_abroad", kind, str(home), str(state), platform.address,
    ]  # fmt: skip
    with state.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def status(state: Path) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads((state / "status.json").read_text())
    except (OSError, ValueError):
        return {}
    return said


@pytest.mark.system
def test_a_clock_in_1971_is_stepped_before_mqtt(platform, tmp_path):
    made, home = platform
    state = tmp_path / "stepping"
    with agent_in_1971("steps", made, home, state) as process:
        wait_until(
            lambda: process.poll() is not None or status(state).get("state") == "operational", 30
        )
        assert process.poll() is None, state.with_suffix(".log").read_text()
        assert status(state)["endpoint"]
        stepped = datetime.fromisoformat(state.with_suffix(".time").read_text()[1:])
        assert abs(stepped.replace(tzinfo=UTC).timestamp() - time.time()) < 120
    log = state.with_suffix(".log").read_text()
    assert "the clock said 1971-03-04 05:06 UTC; it was set to" in log


@pytest.mark.system
def test_a_clock_that_cannot_be_set_is_said_and_does_not_stop_the_agent(platform, tmp_path):
    made, home = platform
    state = tmp_path / "stuck"
    with agent_in_1971("stuck", made, home, state) as process:
        wait_until(
            lambda: (
                process.poll() is not None
                or any(f["code"] == "clock-wrong" for f in status(state).get("failures", ()))
            ),
            30,
        )
        assert process.poll() is None, state.with_suffix(".log").read_text()
        said = status(state)
        assert said["device"], "it has enrolled without knowing the time"
        assert "1971" in said["clock_problem"]
        wrong = next(f for f in said["failures"] if f["code"] == "clock-wrong")
        assert "CAP_SYS_TIME" in wrong["advice"]
