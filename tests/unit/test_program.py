# SPDX-License-Identifier: Apache-2.0
"""`homeport` itself: its version, and what it says where a room is not installed."""

import pytest

import homeport.__main__ as program
from homeport import VERSION


def test_the_version_needs_no_room(capsys):
    assert program.main(["--version"]) == 0
    assert capsys.readouterr().out == f"homeport {VERSION}\n"


@pytest.mark.parametrize(
    ("typed", "extra"),
    [
        (["device", "list"], "server"),
        ([], "server"),
        (["factory", "mint"], "factory"),
        (["demo"], "agent,server,factory"),
        (["agent", "run"], "agent"),
    ],
)
def test_a_room_that_is_not_installed_says_how(typed, extra, monkeypatch, capsys):
    def absent(_):
        raise ModuleNotFoundError("No module named 'typer'", name="typer.main")

    monkeypatch.setattr(program, "_room", absent)
    assert program.main(typed) == 1
    said = capsys.readouterr().err
    assert "typer" in said
    assert f"[{extra}]" in said


def test_a_room_that_misses_one_late_says_how_too(monkeypatch, capsys):
    def room(_):
        raise ModuleNotFoundError("No module named 'awscrt'", name="awscrt")

    monkeypatch.setattr(program, "_room", lambda _: room)
    assert program.main(["agent", "run"]) == 1
    assert "awscrt" in capsys.readouterr().err


def test_a_module_of_our_own_that_is_missing_is_a_fault(monkeypatch):
    def room(_):
        raise ModuleNotFoundError("No module named 'homeport.gone'", name="homeport.gone")

    monkeypatch.setattr(program, "_room", lambda _: room)
    with pytest.raises(ModuleNotFoundError):
        program.main(["serve"])
