# SPDX-License-Identifier: Apache-2.0
"""`homeport audit …` against a real platform: sealed, exported, killed, tampered with, verified."""

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from fakes.live import HOMEPORT, LivePlatform
from fakes.waiting import wait_until


class Scene:
    def __init__(self, platform: LivePlatform, heads: Path) -> None:
        self.platform, self.heads = platform, heads

    def types(self, *words: object) -> subprocess.CompletedProcess[str]:
        command = [*HOMEPORT, "audit", *map(str, words), "--config", str(self.platform.config)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def asks(self, *words: object) -> Any:
        done = self.types(*words, "--json")
        return json.loads(done.stdout)

    def tamper(self, statement: str) -> None:
        with closing(sqlite3.connect(self.platform.registry)) as raw, raw:
            raw.execute(statement)

    def until_sealed(self, events: int) -> None:
        wait_until(lambda: self.asks("verify")["last"] >= events, seconds=30)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory = tmp_path_factory.mktemp("audit")
    heads = directory / "heads.jsonl"
    with LivePlatform(directory, f'[audit]\nseal_every = "1s"\nheads = "{heads}"\n') as platform:
        platform.operate("tenant", "add", "acme")
        platform.operate("tenant", "add", "bolt")
        scene = Scene(platform, heads)
        scene.until_sealed(3)
        yield scene


def test_the_trail_is_sealed_exported_and_holds(live: Scene) -> None:
    report = live.asks("verify", "--heads", live.heads)
    assert report["holds"]
    assert report["compared"] == report["heads"] >= 1
    assert report["platforms"] == ["platform.test"]
    assert "Nothing was changed." in live.types("verify", "--heads", live.heads).stdout


def test_after_a_kill_it_goes_on(live: Scene) -> None:
    live.platform.end(SIGKILL)
    live.platform.operate("tenant", "add", "coil")
    before = live.asks("list")[-1]["cursor"]
    live.platform.start()
    live.platform.wait_until_it_answers()
    live.until_sealed(before)
    assert live.asks("verify", "--heads", live.heads)["holds"]


def test_events_are_listed_by_what_they_are_about(live: Scene) -> None:
    assert [e["tenant"] for e in live.asks("list", "--name", "tenant:added")][:2] == [
        "acme", "bolt",
    ]  # fmt: skip
    (added,) = live.asks("list", "--tenant", "acme")
    assert added["story"] == "tenant acme was added"
    assert live.asks("list", "--actor", added["actor"], "--since", "1h")
    assert live.asks("list", "--since", "2100-01-01") == []
    assert [e["cursor"] for e in live.asks("list", "--after", 0, "--limit", 2)] == [1, 2]
    assert "tenant:added" in live.types("list").stdout
    assert live.types("list", "--since", "soon").returncode == 1


def test_an_export_is_verified_elsewhere(live: Scene, tmp_path: Path) -> None:
    export, anchors = tmp_path / "export.jsonl", tmp_path / "platform.pem"
    assert live.types("export", "--output", export).returncode == 0
    assert live.types("export", "--output", export).returncode == 1, "never replaces a file"
    live.platform.operate("platform", "anchors", "--output", anchors)
    words = ("verify", "--export", export, "--anchors", anchors, "--heads", live.heads)
    assert live.asks(*words)["holds"]
    export.write_text(export.read_text().replace('"acme"', '"evil"'))
    assert live.types(*words).returncode == 1


def test_a_tenants_export_has_its_own_events_only(live: Scene) -> None:
    lines = live.types("export", "--tenant", "acme").stdout.splitlines()
    assert {json.loads(line)["event"]["tenant"] for line in lines} == {"acme"}
    assert live.types("export", "--tenant", "nobody").returncode == 1


@pytest.mark.parametrize(
    ("tamper", "wrong"),
    [
        ("UPDATE audit_events SET actor = 'x' WHERE cursor = 2", "event-altered"),
        ("DELETE FROM audit_events WHERE cursor = 1", "event-removed"),
        ("DELETE FROM audit_heads", "tail-cut-off"),
    ],
)
def test_what_is_wrong_is_said_and_is_the_exit_status(live: Scene, tamper: str, wrong: str) -> None:
    live.platform.end()  # it would seal again what we break
    restore = copied(live.platform.registry)
    try:
        live.tamper(tamper)
        done = live.types("verify", "--heads", live.heads)
        assert done.returncode == 1
        assert "wrong" in done.stdout
        found = live.asks("verify", "--heads", live.heads)["findings"]
        assert wrong in {finding["wrong"] for finding in found}
    finally:
        restore()


def copied(path: Path) -> Callable[[], None]:
    """Keep a copy of the tables; what is returned puts it back."""
    with closing(sqlite3.connect(path)) as raw:
        events = raw.execute("SELECT * FROM audit_events").fetchall()
        heads = raw.execute("SELECT * FROM audit_heads").fetchall()

    def restore() -> None:
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.execute("DELETE FROM audit_heads")
            raw.executemany("INSERT OR REPLACE INTO audit_events VALUES (?,?,?,?,?,?,?,?)", events)
            raw.executemany("INSERT INTO audit_heads VALUES (?,?,?,?)", heads)

    return restore


def test_heads_that_are_none_are_refused(live: Scene, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text("not a head\n")
    assert live.types("verify", "--heads", wrong).returncode == 1
    assert live.types("verify", "--heads", tmp_path / "absent").returncode == 1
