# SPDX-License-Identifier: Apache-2.0
"""The broker is killed, or does not quite die; devices come back and messages flow."""

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.books import Books
from fakes.fleet import Fleet, has_arrived
from fakes.live import HOMEPORT, LiveFactory, LivePlatform
from fakes.moments import a_while
from fakes.waiting import wait_until
from homeport.broker.child import end_leftover
from homeport.demo.stage import free_ports

pytestmark = [pytest.mark.faults]

KILLS = 4
DEVICES = 40
VANISHING = 4
BACK_SECONDS = 60.0
"""For everybody: the agents' ceiling is two seconds, the broker's pause grows with each kill."""
RATES = "[rates]\nsource_per_second = 100000.0\nsource_burst = 100000\n"

DYING = """
import ctypes, os, signal, socket, sys, threading, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def linger():
    while not os.path.exists("let-go"):
        time.sleep(0.01)
    time.sleep(0.5)
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
threading.Thread(target=linger).start()
print("up", flush=True)
ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 0)  # exit(2): one thread
"""
"""A process in the middle of its end: its first thread is gone, the port is still held."""


def test_a_leftover_is_gone_only_when_its_ports_are_free(tmp_path: Path) -> None:
    """A dying process is not to be recognised any more, long before the kernel closes its files."""
    program = tmp_path / "nats-server"
    shutil.copy(Path(sys.executable).resolve(), program)
    configuration = tmp_path / "nats.conf"
    (port,) = free_ports(1)
    dying = subprocess.Popen(
        [program, "-c", DYING, str(port), configuration], cwd=tmp_path, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONHOME": sys.base_prefix},
    )  # fmt: skip
    assert dying.stdout
    assert dying.stdout.readline() == b"up\n"
    pid_file = tmp_path / "nats-server.pid"
    pid_file.write_text(str(dying.pid))
    try:
        (tmp_path / "let-go").touch()
        asyncio.run(end_leftover(pid_file, configuration))
        socket.create_server(("127.0.0.1", port)).close()
    finally:
        dying.kill()
        dying.communicate()


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[LivePlatform]:
    with LivePlatform(tmp_path, RATES) as running:
        running.operate("tenant", "add", "acme")
        yield running


@pytest.mark.slow
def test_everybody_comes_back_after_each_kill(platform: LivePlatform, tmp_path: Path) -> None:
    chance = random.Random(7)
    devices = LiveFactory(tmp_path / "factory", platform).mint_sold(DEVICES, "acme")
    with Fleet(platform.address, tmp_path / "fleet.log", 2) as fleet, watching(platform) as heard:
        fleet.plug_in(devices)
        wait_until(lambda: are_home(platform, devices), BACK_SECONDS)
        for number in range(KILLS):
            a_while(chance, 0, 1)
            kill_broker(platform)
            everybody_is_heard(fleet, devices, f"after kill {number}", heard)
            wait_until(lambda: are_home(platform, devices), BACK_SECONDS)
        assert fleet.ended() == []
    books = Books(platform.registry)
    assert books.faults() == []
    for device in devices:
        assert books.timeline(books.device(device.name)).count("enrolment:completed") == 1


@pytest.mark.slow
def test_who_vanishes_while_the_broker_is_dead_is_not_online(
    platform: LivePlatform, tmp_path: Path
) -> None:
    """The broker forgets last wills when it is killed; who has one must not be online for ever."""
    *staying, leaving, gone = LiveFactory(tmp_path / "factory", platform).mint_sold(
        VANISHING, "acme"
    )
    with Fleet(platform.address, tmp_path / "fleet.log", 1) as fleet:
        fleet.plug_in(staying)
        with Fleet(platform.address, tmp_path / "leaving.log", 1) as others:
            others.plug_in([leaving, gone])
            wait_until(lambda: are_home(platform, [*staying, leaving, gone]), BACK_SECONDS)
            platform.process.send_signal(signal.SIGSTOP)  # so that nobody comes back too early
            kill_broker(platform)
        platform.process.send_signal(signal.SIGCONT)
        wait_until(lambda: online(platform) == {d.name for d in staying}, BACK_SECONDS)
        assert fleet.ended() == []


@contextmanager
def watching(platform: LivePlatform) -> Iterator[Path]:
    """Run `homeport upstream watch`; yields the file that it writes to."""
    heard = platform.directory / "heard.jsonl"
    with heard.open("wb") as output:
        watcher = subprocess.Popen(
            [*HOMEPORT, "upstream", "watch", "--json", "--config", str(platform.config)],
            stdout=output,
        )
    try:
        yield heard
        assert watcher.poll() is None
    finally:
        watcher.terminate()
        watcher.wait()


def everybody_is_heard(fleet: Fleet, devices: Sequence[Path], text: str, heard: Path) -> None:
    """Let everybody speak until everybody was heard."""

    def is_heard() -> bool:
        assert len(fleet.say(devices, text)) == len(devices)
        lines = [json.loads(line) for line in heard.read_text("utf-8").splitlines()]
        speakers = {line["topic"] for line in lines if line["payload"] == text}
        return len(speakers) == len(devices)

    wait_until(is_heard, BACK_SECONDS)


def kill_broker(platform: LivePlatform) -> None:
    pid = int((platform.data / "broker" / "nats-server.pid").read_text())
    os.kill(pid, signal.SIGKILL)


def are_home(platform: LivePlatform, devices: Sequence[Path]) -> bool:
    names = {device.name for device in devices}
    return online(platform) >= names and all(map(has_arrived, devices))


def online(platform: LivePlatform) -> set[str]:
    return Books(platform.registry).arrived()
