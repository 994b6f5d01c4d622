# SPDX-License-Identifier: Apache-2.0
"""The power fails at every single instant of an agent's life: it always ends in the same place.

For each scenario the plug is pulled at instant 1, 2, 3, … (before and after each write, each key
made or deleted, each connection and message) until the scenario ends before the cut; after each
cut the agent starts again, undisturbed. Then the device is operational with one certificate, no
request got two, and no key is left over.
"""

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.awkward_platform import FakeFactory, FakePlatform
from homeport.agent.journey import State
from homeport.agent.memory.store import Store
from homeport.pki import jws
from homeport.pki.certificates import fingerprint, parse_certificate
from homeport.protocols.mqtt.commands import COMMAND_TYP, Command, encode

KILLED = -9


class Runner:
    """The program of `fakes.plug`."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fakes.plug"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def run(
        self, root: Path, scenario: str, cut_at: int, before: str = "", command: str = ""
    ) -> dict[str, int]:
        order = {
            "root": str(root), "scenario": scenario, "cut_at": cut_at, "credential_before": before,
            "command": command,
        }  # fmt: skip
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        said: dict[str, int] = json.loads(self._process.stdout.readline())
        return said

    def end(self) -> None:
        self._process.communicate(timeout=10)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner()
    yield made
    made.end()


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[FakePlatform]:
    with FakePlatform(tmp_path / "platform") as made:
        yield made


def cuts(
    runner: Runner, root: Path, scenario: str, command: str = ""
) -> Iterator[tuple[int, Path]]:
    """For each instant: a device in its first state, cut there, and run to the end again."""
    for number in itertools.count(1):
        place = root / f"cut-{number}"
        shutil.copytree(root / "device", place / "device", symlinks=True)
        if (root / "state").exists():
            shutil.copytree(root / "state", place / "state")
            _move(place, root)
        before = credential_key(place)
        cut = runner.run(place, scenario, number, before, command)
        if cut["ended"] == 0:
            assert cut["passed"] < number
            assert number > 10, "a scenario has more instants than that"
            return
        assert cut["ended"] == KILLED
        again = runner.run(place, scenario, 0, before, command)
        assert again["ended"] == 0, f"cut at instant {number}"
        yield number, place


def _move(place: Path, root: Path) -> None:
    """Keys are named by absolute path; a copied device has its own."""
    for name in ("state.json", "state.json.previous"):
        path = place / "state" / name
        if path.exists():
            from homeport.agent.memory.durable import DurableFile

            content = next(DurableFile(path).versions())[1]
            moved = content.replace(f"{root}/state/".encode(), f"{place}/state/".encode())
            DurableFile(path).write(moved)


def credential_key(place: Path) -> str:
    if not (place / "state").exists():
        return ""
    credential = Store(place / "state").saved.credential
    return credential.key if credential else ""


def check_place(place: Path, number: int) -> Any:
    saved = Store(place / "state").saved
    assert saved.journey is State.OPERATIONAL, f"cut at instant {number}"
    assert saved.credential is not None
    assert (saved.request, saved.earlier, saved.retired) == (None, None, ())
    kept = [f"file:{path}" for path in (place / "state" / "keys").iterdir()]
    assert kept == [saved.credential.key], f"cut at instant {number}"
    return saved


def mint(root: Path, platform: FakePlatform) -> None:
    FakeFactory.make(root / "factory").mint(root / "device", platform)


@pytest.mark.faults
def test_enrolment_survives_a_cut_at_every_instant(tmp_path, platform, runner):
    mint(tmp_path, platform)
    for number, place in cuts(runner, tmp_path, "enrol"):
        saved = check_place(place, number)
        assert len(platform.issued) == 1, f"cut at instant {number}"
        (certificate,) = platform.issued.values()
        assert saved.credential.certificate[0] == certificate
        platform.issued.clear()


@pytest.mark.faults
def test_a_parked_device_survives_a_cut_at_every_instant(tmp_path, platform, runner):
    mint(tmp_path, platform)
    platform.change(park_first=1)
    for number, place in cuts(runner, tmp_path, "enrol"):
        check_place(place, number)
        assert len(platform.issued) == 1, f"cut at instant {number}"
        platform.issued.clear()
        platform.change(park_first=1)


@pytest.mark.faults
def test_a_lost_answer_and_a_cut_give_one_certificate(tmp_path, platform, runner):
    mint(tmp_path, platform)
    platform.change(lose_answers=2)
    for number, place in cuts(runner, tmp_path, "enrol"):
        check_place(place, number)
        assert len(platform.issued) == 1, f"cut at instant {number}"
        platform.issued.clear()
        platform.change(lose_answers=2)


@pytest.mark.faults
def test_renewal_survives_a_cut_at_every_instant(tmp_path, platform, runner):
    mint(tmp_path, platform)
    platform.change(lifetime=timedelta(days=1), renew_after=timedelta(days=-1))
    first = runner.run(tmp_path, "enrol", 0)
    assert first["ended"] == 0
    platform.change(lifetime=timedelta(days=90), renew_after=timedelta(days=60))
    platform.issued.clear()
    for number, place in cuts(runner, tmp_path, "renewal"):
        saved = check_place(place, number)
        assert len(platform.issued) == 1, f"cut at instant {number}"
        used = fingerprint(parse_certificate(saved.credential.certificate[0]))
        (certificate,) = platform.issued.values()
        assert used == fingerprint(parse_certificate(certificate))
        platform.issued.clear()


@pytest.mark.faults
@pytest.mark.parametrize("order", ["rekey", "reset"])
def test_a_command_survives_a_cut_at_every_instant(tmp_path, platform, runner, order):
    mint(tmp_path, platform)
    assert runner.run(tmp_path, "enrol", 0)["ended"] == 0
    credential = Store(tmp_path / "state").saved.credential
    assert credential is not None
    command = Command(
        id="0123456789abcdef" * 2,
        order=order,
        device=credential.device,
        credential=fingerprint(parse_certificate(credential.certificate[0])),
        expires=2**40,
    )
    signed = jws.sign(
        encode(command), key=platform.domain_key, typ=COMMAND_TYP, x5c=platform.domain_chain
    )
    platform.issued.clear()
    for number, place in cuts(runner, tmp_path, "command", signed.decode()):
        saved = check_place(place, number)
        assert saved.command is None
        assert len(platform.issued) == 1, f"cut at instant {number}"
        platform.issued.clear()


@pytest.mark.faults
def test_reset_survives_a_cut_at_every_instant(tmp_path, platform, runner):
    mint(tmp_path, platform)
    assert runner.run(tmp_path, "enrol", 0)["ended"] == 0
    epoch = Store(tmp_path / "state").lifetime.epoch
    platform.issued.clear()
    for number, place in cuts(runner, tmp_path, "reset"):
        check_place(place, number)
        assert len(platform.issued) == 1, f"cut at instant {number}"
        assert Store(place / "state").lifetime.epoch == epoch
        platform.issued.clear()
