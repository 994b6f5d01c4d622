# SPDX-License-Identifier: Apache-2.0
"""House rules that no linter knows."""

import ast
import re

import pytest

from architecture.source_tree import (
    SOURCE,
    calls,
    dotted,
    named,
    project_files,
    python_files,
    syntax,
)

WALL_TIME = frozenset(
    {"datetime.now", "datetime.datetime.now", "datetime.utcnow", "datetime.today", "date.today",
     "time.time", "time.time_ns"}
)  # fmt: skip

OWNERLESS = re.compile(
    r"asyncio\.(create_task|ensure_future)|.*loop\(?\)?\.create_task|ensure_future"
)

CLOSED = frozenset({"src/homeport/protocols/mqtt/device/tunnel.py"})
"""What is opened and closed by calls far apart, so that no task group could span them: `close` ends
its one task and waits for it."""

EMPTY_NAMES = re.compile(r".*(Manager|Helper|Helpers|Util|Utils|Base|Data|Info|Processor)")
"""Words that say nothing: the glossary has better ones."""

# Put together here, so that this file does not find itself.
UNFINISHED = re.compile(
    "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X:", "NotImplemented" + "Error"))
)
PLACES = re.compile(
    "|".join(
        (
            "/wo" + "rk/", "/opt/" + "pypi", "/tmp/" + "scratch", "farm-" + "studio",
            "sub" + "agent", "pypi" + r"\.org", "python" + "hosted", "registry" + r"\.npmjs",
            "arti" + "factory", r"index-url[=\s]+\S+:/",
        )
    )
)  # fmt: skip
"""Where this was made and where packages come from is nobody's business."""

TEXT = frozenset(
    {".py", ".md", ".toml", ".txt", ".lock", ".sh", ".json", ".yml", ".yaml", ".conf", ".service",
     ".csv", ".ini", ".html", ".svg", ""}
)  # fmt: skip


def found_calls(names: re.Pattern[str] | frozenset[str], *folders: str) -> list[str]:
    def matches(name: str) -> bool:
        return name in names if isinstance(names, frozenset) else bool(names.fullmatch(name))

    return [
        f"{named(path, line)} {name}"
        for path in python_files(*folders)
        if path != SOURCE / "clock.py"
        for name, line in calls(path)
        if matches(name)
    ]


def found_text(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{named(path, number)} {found[0]}"
        for path in project_files()
        if path.suffix in TEXT
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if (found := pattern.search(line))
    ]


def test_time_comes_from_the_clock():
    assert found_calls(WALL_TIME, "src") == []


def test_every_task_has_an_owner():
    found = found_calls(OWNERLESS, "src", "tests")
    assert [place for place in found if place.partition(":")[0] not in CLOSED] == []
    assert len(found) == len(CLOSED), "one task each"


def test_nothing_sleeps_where_a_condition_can_be_awaited():
    blocking = frozenset({"time.sleep"})
    polling = "tests/fakes/"  # the one place that waits for processes of others
    assert found_calls(blocking, "src") == []
    assert [p for p in found_calls(blocking, "tests") if not p.startswith(polling)] == []


@pytest.mark.parametrize("folder", ["src", "tests", "bench", "tools"])
def test_nothing_blocks_the_event_loop_with_sleep(folder):
    sleeping = [
        named(path, call.lineno)
        for path in python_files(folder)
        for function in ast.walk(syntax(path))
        if isinstance(function, ast.AsyncFunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and dotted(call.func) == "time.sleep"
    ]
    assert sleeping == []


def test_columns_are_named():
    everything = re.compile(r"select\s+\*", re.IGNORECASE)
    strings = [
        named(path, node.lineno)
        for path in python_files("src")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and everything.search(node.value)
    ]
    assert strings == []


def test_names_of_classes_say_something():
    classes = [
        f"{named(path, node.lineno)} {node.name}"
        for path in python_files("src", "tools")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.ClassDef) and EMPTY_NAMES.fullmatch(node.name)
    ]
    assert classes == []


def test_nothing_is_left_for_later():
    assert found_text(UNFINISHED) == []


def test_no_file_tells_where_it_was_made():
    assert found_text(PLACES) == []


def test_every_program_text_names_its_licence():
    programs = [
        path
        for path in project_files()
        if path.suffix in {".py", ".sh"} or path.name == "Makefile" or path.parent.name == ".ci"
    ]
    without = [
        named(path)
        for path in programs
        if "SPDX-License-Identifier: Apache-2.0"
        not in "".join(path.read_text(encoding="utf-8").splitlines()[:2])
    ]
    assert without == []
