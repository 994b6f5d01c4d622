# SPDX-License-Identifier: Apache-2.0
"""Device stores: the same command finishes what an interruption left, and mints nothing new."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.factory_line import FactoryLine, line

__all__ = ["line"]

PROGRAM = """
import os, signal, sys
from homeport.factory.cli import main
def watch(event, _, written=[]):
    if event == "os.rename":
        written.append(event)
        if len(written) == int(sys.argv[2]):
            os.kill(os.getpid(), int(sys.argv[1]))
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.addaudithook(watch)
sys.exit(main(sys.argv[3:]))
"""
"""Sends itself the signal of its first argument when that many stores get their names. Whoever
was started in the background by a shell has inherited that SIGINT is ignored: not here."""
COUNT = 800
"""More than three batches of stores."""
AT = COUNT // 2
SERIAL_NUMBERS = [f"EX-100-{number:06d}" for number in range(1, COUNT + 1)]
SECONDS = 60


def options(stores: Path) -> tuple[str, ...]:
    return ("--model", "EX-100", "--count", str(COUNT), "--split", str(stores))


def interrupt(line: FactoryLine, stores: Path, by: signal.Signals) -> tuple[int, str]:
    """Run the command, interrupted while it writes stores; return its status and words."""
    command = [sys.executable, "-c", PROGRAM, str(int(by)), str(AT)]
    command += ["mint", str(line.directory), *options(stores)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.returncode, done.stderr


def partial(stores: Path) -> list[Path]:
    return list(stores.glob(".*"))


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_the_same_command_finishes_the_stores(
    line: FactoryLine, tmp_path: Path, by: signal.Signals
) -> None:
    stores = tmp_path / "stores"
    status, said = interrupt(line, stores, by)
    assert 0 < len(list(stores.glob("EX-*"))) < COUNT
    if by is signal.SIGINT:
        assert status == 130
        assert "The same command goes on" in said
        assert partial(stores) == [], "no private keys are left in half a store"
    assert line.run("show")["orders"][0]["unwritten_stores"] == [str(stores)]

    answer = line.run("mint", *options(stores))
    assert (answer["minted"], answer["already"]) == (0, COUNT)
    assert line.serial_numbers() == SERIAL_NUMBERS
    assert sorted(store.name for store in stores.iterdir()) == SERIAL_NUMBERS
    assert all((store / "idevid.key").is_file() for store in stores.iterdir())
    assert line.run("show")["orders"][0]["unwritten_stores"] == []


def test_a_finished_command_begins_anew(line: FactoryLine, tmp_path: Path) -> None:
    few = ("--model", "EX-100", "--count", 3, "--split", tmp_path / "stores")
    assert line.run("mint", *few)["first"] == "EX-100-000001"
    assert line.run("mint", *few)["first"] == "EX-100-000004"
    assert len(list((tmp_path / "stores").iterdir())) == 6


def test_a_lost_store_is_made_up_where_the_start_is_given(
    line: FactoryLine, tmp_path: Path
) -> None:
    order = ("--model", "EX-100", "--count", 6, "--start", 1, "--split", tmp_path / "s")
    line.run("mint", *order)
    kept = (tmp_path / "s" / "EX-100-000001" / "idevid.key").read_bytes()
    lost = tmp_path / "s" / "EX-100-000004"
    before = {path.name: path.read_bytes() for path in lost.iterdir() if path.suffix != ".json"}
    lost.rename(tmp_path / "moved")
    line.run("mint", *order)
    after = {path.name: path.read_bytes() for path in lost.iterdir() if path.suffix != ".json"}
    assert after == before
    assert (tmp_path / "s" / "EX-100-000001" / "idevid.key").read_bytes() == kept
    assert len(line.serial_numbers()) == 6


def test_where_no_stores_can_be_nothing_is_minted(line: FactoryLine, tmp_path: Path) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file")
    for place in (occupied, occupied / "below"):
        error = line.refused("mint", "--model", "EX-100", "--count", 3, "--split", place)
        assert error["code"] == "setting-wrong"
        assert str(occupied) in error["detail"]
    assert line.run("show")["orders"] == []
