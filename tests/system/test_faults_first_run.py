# SPDX-License-Identifier: Apache-2.0
"""The very first start is killed at bad moments: the next goes on, under the same root.

A second root would make strangers of all devices that were minted for the first.
"""

import json
import random
import signal
import socket
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from fakes.books import Books
from fakes.live import HOMEPORT, LivePlatform
from fakes.moments import a_while, when_there
from fakes.waiting import wait_until
from homeport.keys import open_key
from homeport.pki.certificates import load_bundle

pytestmark = [pytest.mark.faults, pytest.mark.slow]

FILES = (
    "keys/root.key", "keys/root.pem", "keys/issuing.key", "keys/issuing.pem", "keys/services.pem",
    "keys/domain.key", "keys/nonce.key", "keys/server.pem", "registry.sqlite",
    "registry.sqlite-wal", "broker/nats.conf", "broker/nats-server.pid",
)  # fmt: skip
"""In the order in which they are made; the server is killed when one appears."""
MOMENTS = (0.30, 0.40, 0.50, 0.60, 0.75)
"""Seconds after the start: imports, keys, migration, broker."""


@pytest.mark.parametrize("file", FILES)
def test_killed_when_a_file_appears(tmp_path: Path, file: str) -> None:
    platform = LivePlatform(tmp_path)
    kill_and_go_on(platform, lambda: when_there(platform.data / file))


@pytest.mark.parametrize("seconds", MOMENTS)
def test_killed_after_a_while(tmp_path: Path, seconds: float) -> None:
    kill_and_go_on(LivePlatform(tmp_path), lambda: a_while(random.Random(), seconds, seconds))


def kill_and_go_on(platform: LivePlatform, wait: Callable[[], None]) -> None:
    """Kill the first start, and the second somewhere; the third must hold."""
    roots = set()
    platform.start()
    wait()
    platform.end(signal.SIGKILL)
    roots |= root_of(platform)
    platform.start()
    a_while(random.Random(platform.directory.name), 0.2, 0.6)
    assert platform.process.poll() is None, platform.log.read_text("utf-8")
    platform.end(signal.SIGKILL)
    roots |= root_of(platform)
    platform.start()
    try:
        wait_until(lambda: is_ready(platform), 30)
        platform.operate("platform", "anchors", "--output", platform.anchors)
        platform.wait_until_it_answers()
        roots |= root_of(platform)
        assert roots == {platform.anchors.read_text("utf-8")}
        assert_keys_belong_together(platform.data / "keys")
        books = Books(platform.registry)
        assert books.faults() == []
        assert [event.name for event in books.events] == ["upstream:added"]
    finally:
        platform.end()


def is_ready(platform: LivePlatform) -> bool:
    """Whether the process that runs now, and no earlier one, says that it answers."""
    assert platform.process.poll() is None, platform.log.read_text("utf-8")
    ready = platform.data / "ready.json"
    try:
        return bool(json.loads(ready.read_text("utf-8"))["pid"] == platform.process.pid)
    except (OSError, ValueError):
        return False


def root_of(platform: LivePlatform) -> set[str]:
    path = platform.data / "keys" / "root.pem"
    return {path.read_text("utf-8")} if path.exists() else set()


def assert_keys_belong_together(keys: Path) -> None:
    for name in ("root", "issuing", "services", "domain"):
        chain = load_bundle((keys / f"{name}.pem").read_bytes())
        key = open_key(f"file:{keys / name}.key")
        assert chain[0].public_key() == key.public_key()
        for lower, upper in pairwise(chain):
            lower.verify_directly_issued_by(upper)
    (root,) = load_bundle((keys / "root.pem").read_bytes())
    assert load_bundle((keys / "issuing.pem").read_bytes())[-1] == root
    names = {path.name for path in keys.iterdir()}
    assert not {name for name in names if name.startswith(".") and name != ".lock"}


def test_what_a_killed_server_said_is_not_believed(tmp_path: Path) -> None:
    """`ready.json` outlives a killed server; the next one takes it away before it begins."""
    with LivePlatform(tmp_path) as platform:
        ready = platform.data / "ready.json"
        wait_until(ready.exists)
        platform.end(signal.SIGKILL)
        assert ready.exists()
        with socket.create_server(("127.0.0.1", platform.port)):
            platform.start()
            assert platform.process.wait(30) == 1
        assert not ready.exists()


def test_a_second_server_leaves_the_first_ones_word(tmp_path: Path) -> None:
    with LivePlatform(tmp_path) as platform:
        ready = platform.data / "ready.json"
        wait_until(ready.exists)
        second = subprocess.run(
            [*HOMEPORT, "serve", "--config", platform.config], capture_output=True, check=False
        )
        assert second.returncode == 1
        assert json.loads(ready.read_text("utf-8"))["pid"] == platform.process.pid
