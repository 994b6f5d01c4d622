# SPDX-License-Identifier: Apache-2.0
"""Settings: every fault at once, nothing unknown, nothing guessed."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import Code, HomeportError
from homeport.settings import Between, describe, load, parse_duration, write_duration


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Listen:
    """Where to listen."""

    host: str = "localhost"
    """The address."""
    port: Annotated[int, Between(1, 65535)] = 8443
    """The TCP port."""


@dataclass(frozen=True)
class Example:
    """All kinds of settings."""

    name: str
    """What it is called."""
    directory: Path = Path("data")
    """Where things are."""
    key: Path | None = None
    """A secret's file."""
    patience: Annotated[timedelta, Between(timedelta(seconds=1), timedelta(days=1))] = timedelta(
        minutes=2
    )
    """How long to wait."""
    ratio: float = 0.5
    """A share."""
    is_loud: bool = False
    """Whether to shout."""
    colour: Colour = Colour.RED
    """Of the shed."""
    names: tuple[str, ...] = ("a",)
    """Several."""
    listen: Listen = field(default_factory=Listen)
    """A table."""
    others: tuple[Listen, ...] = ()
    """Several tables."""

    def __post_init__(self) -> None:
        if self.is_loud and self.colour is Colour.RED:
            raise ValueError("red is never loud")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "example.toml"
    path.write_text(text)
    return path


def faults_of(tmp_path: Path, text: str) -> str:
    with pytest.raises(HomeportError) as caught:
        load(Example, written(tmp_path, text))
    assert caught.value.code is Code.SETTING_WRONG
    return caught.value.detail


def test_every_kind_of_setting_is_read(tmp_path):
    path = written(
        tmp_path,
        """
        name = "x"
        directory = "below"
        key = "/etc/key"
        patience = "90s"
        ratio = 1
        is_loud = true
        colour = "blue"
        names = ["b", "c"]
        listen.port = 1
        others = [{ host = "h" }, { port = 2 }]
        """,
    )
    assert load(Example, path) == Example(
        "x", tmp_path / "below", Path("/etc/key"), timedelta(seconds=90), 1.0, True, Colour.BLUE,
        ("b", "c"), Listen(port=1), (Listen("h"), Listen(port=2)),
    )  # fmt: skip


def test_what_is_not_said_has_its_default(tmp_path):
    assert load(Example, written(tmp_path, 'name = "x"')) == Example("x")
    assert load(Example, None, {"name": "x"}) == Example("x")


def test_the_command_line_wins_and_none_says_nothing(tmp_path):
    path = written(tmp_path, 'name = "x"\n[listen]\nport = 1\nhost = "h"')
    read = load(Example, path, {"listen.port": 5, "listen.host": None, "directory": Path("here")})
    assert read.listen == Listen("h", 5)
    assert read.directory == Path("here")


def test_all_faults_are_reported_at_once(tmp_path):
    faults = faults_of(
        tmp_path,
        """
        nmae = "x"
        patience = 90
        ratio = "much"
        is_loud = 1
        colour = "green"
        names = "b"
        others = [{ port = 0 }, 5]
        [listen]
        port = true
        hots = "h"
        """,
    )
    for fault in (
        "nmae: no such setting", "name: must be given", "patience: is a duration in quotes",
        "ratio: is a number", "is_loud: is true or false", "colour: is one of red, blue",
        "names: is a list", "others[0].port: 0 is outside of 1 to 65535", "others[1]: is a table",
        "listen.port: is a whole number", "listen.hots: no such setting",
    ):  # fmt: skip
        assert fault in faults


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('name = "x"\npatience = "90"', "patience: a duration looks like"),
        ('name = "x"\npatience = "2d"', 'patience: "2d" is outside of "1s" to "1d"'),
        ('name = "x"\nis_loud = true', "settings: red is never loud"),
        ('name = "x"\nlisten = 3', "listen: is a table"),
        ('name = "x"\nkey = ""', "key: is a path"),
        ("name = ", "example.toml: "),
    ],
)
def test_a_fault_is_named(tmp_path, text, fault):
    assert fault in faults_of(tmp_path, text)


def test_a_file_that_is_no_utf8_is_refused(tmp_path):
    path = tmp_path / "example.toml"
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(HomeportError) as caught:
        load(Example, path)
    assert caught.value.code is Code.SETTING_WRONG


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(HomeportError) as caught:
        load(Example, tmp_path / "none.toml")
    assert caught.value.code is Code.FILE_MISSING


def test_the_reference_knows_every_setting():
    rows = {row.name: row for row in describe(Example)}
    assert list(rows) == [
        "name", "directory", "key", "patience", "ratio", "is_loud", "colour", "names",
        "listen.host", "listen.port", "others",
    ]  # fmt: skip
    assert rows["name"].is_required
    assert rows["listen.port"].description == "The TCP port."
    assert (rows["patience"].type, rows["patience"].default) == ("duration", '"2m"')
    assert rows["colour"].type == '"red" or "blue"'
    assert (rows["key"].type, rows["key"].default) == ("path", "")
    assert rows["names"].default == '["a"]'


@given(st.integers(0, 10**8))
def test_durations_are_read_as_written(milliseconds):
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(write_duration(duration)) == duration
