# SPDX-License-Identifier: Apache-2.0
"""DNS-SD between two namespaces: a device finds an edge, an edge lists a device that waits."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.network import Lan

pytestmark = pytest.mark.system

FAKES: Final = Path(__file__).parent.parent / "fakes"


def line(process: subprocess.Popen[str], wanted: str) -> Any:
    """Read the process's lines until one is JSON and has this member (or is this string)."""
    assert process.stdout is not None
    for text in process.stdout:
        try:
            found = json.loads(text)
        except ValueError:
            continue
        if wanted == found or (isinstance(found, dict) and wanted in found):
            return found
    raise AssertionError(f"the process ended without {wanted}")


@pytest.fixture
def lan() -> Iterator[Lan]:
    # Its DHCP server answers, without naming a platform: what is found, is found by DNS-SD.
    with Lan(("device", "edge")) as built:
        yield built


def start_edge(lan: Lan) -> subprocess.Popen[str]:
    argv: list[str | Path] = [
        sys.executable,
        FAKES / "edge.py",
        "Edge-7",
        "8443",
        lan.address4("edge"),
    ]
    edge = lan.start_in("edge", argv)
    line(edge, "ready")
    return edge


def test_an_edge_is_found_and_its_txt_record_is_not_believed(lan: Lan) -> None:
    start_edge(lan)
    done = lan.run_in(
        "device", [sys.executable, FAKES / "discover.py", "--default=https://d.example"]
    )
    candidates = [found for found in map(json.loads, done.stdout.splitlines()) if "url" in found]
    assert [(each["source"], each["url"]) for each in candidates] == [
        ("dns-sd", "https://edge-7.local:8443"),
        ("default", "https://d.example"),
    ], done.stderr
    assert lan.address4("edge") in candidates[0]["addresses"]
    assert "evil" not in done.stdout


def test_a_device_that_waits_is_seen_and_seen_to_go(lan: Lan) -> None:
    edge = start_edge(lan)
    device_argv = ("--default=https://d.example", "--announce")
    device = lan.start_in("device", [sys.executable, FAKES / "discover.py", *device_argv])
    seen = line(edge, "added")
    assert seen["added"].startswith("Pump 3 ")
    assert seen["addresses"] == [lan.address4("device")]
    assert seen["port"] == 8908
    for string in ("model=Pump 3", "c0=https://edge-7.local:8443", "c1=https://d.example"):
        assert string in seen["txt"]
    assert "000123" not in seen["txt"]
    assert device.stdin is not None
    device.stdin.close()
    assert line(edge, "removed")["removed"] == seen["added"]
    assert device.wait(30) == 0


def test_the_announcement_does_not_outlive_a_killed_agent(lan: Lan) -> None:
    edge = start_edge(lan)
    device = lan.start_in("device", [sys.executable, FAKES / "discover.py", "--announce"])
    seen = line(edge, "added")
    # `ip netns exec` became the agent (exec), so this is the agent's own process id.
    os.kill(device.pid, signal.SIGKILL)
    assert line(edge, "removed")["removed"] == seen["added"]
