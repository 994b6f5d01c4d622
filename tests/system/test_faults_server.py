# SPDX-License-Identifier: Apache-2.0
"""The server is killed (SIGKILL) at random moments while a fleet enrols: nothing lost or doubled.

The seed is printed; FAULTS_SEED sets it. The long form (`make soak`) kills ten times as often.
"""

import os
import random
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from fakes.books import Books
from fakes.fleet import Fleet, name_of, remembered, witnessed
from fakes.live import HOMEPORT, LiveFactory, LivePlatform
from fakes.moments import a_while
from fakes.waiting import wait_until
from homeport.agent.journey import State

pytestmark = [pytest.mark.faults, pytest.mark.slow]

DEVICES = 300
EARLY = 0.25
"""Share of the kills that hit the server before it answers."""
LIFE = 1.5
"""Seconds, at most, that it lives after that."""
START = 0.8
"""Seconds that a start takes, about."""
ARRIVE_SECONDS = 120.0
"""For the last of them, once nobody kills any more."""

RATES = "[rates]\nsource_per_second = 100000.0\nsource_burst = 100000\n"
"""All devices come from one address."""


@pytest.fixture(scope="module")
def chance() -> random.Random:
    seed = int(os.environ.get("FAULTS_SEED", "2026"))
    print(f"FAULTS_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[LivePlatform]:
    with LivePlatform(tmp_path, RATES) as running:
        yield running
    assert brokers(running) == []


@pytest.mark.timeout(420)
def test_killed_at_random_while_a_fleet_enrols(
    platform: LivePlatform, tmp_path: Path, chance: random.Random
) -> None:
    kill_while_enrolling(platform, tmp_path, chance, kills=20)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_two_hundred_times(
    platform: LivePlatform, tmp_path: Path, chance: random.Random
) -> None:
    kill_while_enrolling(platform, tmp_path, chance, kills=200)


def kill_while_enrolling(
    platform: LivePlatform, tmp_path: Path, chance: random.Random, kills: int
) -> None:
    devices = LiveFactory(tmp_path / "factory", platform).mint(DEVICES)
    platform.operate("tenant", "add", "acme")
    chance.shuffle(devices)
    late, sold = devices[: DEVICES // 3], devices[DEVICES // 3 :]
    platform.operate("sales", "import", sales_of(platform, sold))
    waves = [devices[number::kills] for number in range(kills)]
    selling: list[subprocess.Popen[bytes]] = []
    thirds = [late[number::3] for number in range(3)]
    with Fleet(platform.address, tmp_path / "fleet.log") as fleet:
        for number, wave in enumerate(waves):
            fleet.plug_in(wave)
            if number % (kills // 4) == kills // 4 - 1 and thirds:
                selling.append(sell_meanwhile(platform, thirds.pop()))
            live_and_die(platform, chance)
        platform.start()
        for each in selling:
            assert each.wait(60) == 0
        everybody = {device.name for device in devices}
        try:
            wait_until(lambda: all_home(platform, devices), ARRIVE_SECONDS)
        except TimeoutError:
            missing = everybody - Books(platform.registry).arrived()
            pytest.fail(f"{len(missing)} never arrived: {describe(platform, devices, missing)}")
        assert fleet.ended() == []
        check(platform, devices)
        assert_story(Books(platform.registry), sold, late)


def live_and_die(platform: LivePlatform, chance: random.Random) -> None:
    """Let the server live for a random while, and kill it."""
    if platform.is_running:
        a_while(chance, 0, LIFE)
    elif chance.random() < EARLY:
        platform.start()
        a_while(chance, 0, START)
    else:
        platform.start()
        platform.wait_until_it_answers()
        a_while(chance, 0, LIFE)
    assert platform.process.poll() is None, platform.log.read_text("utf-8")[-5000:]
    platform.end(signal.SIGKILL)


def sell_meanwhile(platform: LivePlatform, devices: Sequence[Path]) -> subprocess.Popen[bytes]:
    """Import sales while everything else goes on."""
    record = sales_of(platform, devices)
    return subprocess.Popen(
        [*HOMEPORT, "sales", "import", str(record), "--config", str(platform.config)],
        stdout=subprocess.DEVNULL,
    )


def sales_of(platform: LivePlatform, devices: Sequence[Path]) -> Path:
    return platform.sales_of([device.name for device in devices], "acme")


def all_home(platform: LivePlatform, devices: Sequence[Path]) -> bool:
    """Whether platform and devices agree that all are there, each with its certificate."""
    assert platform.process.poll() is None, platform.log.read_text("utf-8")[-5000:]
    if any(remembered(device).journey is not State.OPERATIONAL for device in devices):
        return False
    books = Books(platform.registry)
    if not books.arrived() >= {device.name for device in devices}:
        return False
    return all(agree(books, device) for device in devices)


def agree(books: Books, device: Path) -> bool:
    """Whether the device has the certificate that counts, and every other answers its next wish.

    A renewal that was granted to a device that never heard of it stays granted: asked again, with
    the same request, it is the answer.
    """
    saved = remembered(device)
    present, counting = name_of(saved), set(books.current(books.device(device.name)))
    wish = saved.request.request_id if saved.request else ""
    unheard = {books.credentials[name]["request_id"] for name in counting - {present}}
    return present in counting and unheard <= {wish}


def check(platform: LivePlatform, devices: Sequence[Path]) -> None:
    """Nothing is lost, doubled or half-made."""
    books = Books(platform.registry)
    assert books.faults() == []
    for device in devices:
        given = witnessed(device)
        requests = dict(given)
        assert all(requests[request] == name for request, name in given), given
        assert {name for _, name in given} <= set(books.credentials)
    assert_keys_are_whole(platform)


def assert_story(books: Books, sold: Sequence[Path], late: Sequence[Path]) -> None:
    """Each device came home once, and its timeline tells it in order."""
    for device in (*sold, *late):
        told = books.timeline(books.device(device.name))
        once = ["device:assigned", "enrolment:started", "credential:issued", "enrolment:completed"]
        assert [told.count(name) for name in once] == [1, 1, 1, 1], told
        assert told.index("device:assigned") < told.index("credential:issued")
        was_parked = "enrolment:parked" in told
        assert was_parked == ("enrolment:resumed" in told), told


def assert_keys_are_whole(platform: LivePlatform) -> None:
    names = {path.name for path in (platform.data / "keys").iterdir()}
    assert names == {
        ".lock", "root.key", "root.pem", "issuing.key", "issuing.pem", "services.key",
        "services.pem", "domain.key", "domain.pem", "nonce.key", "server.pem",
    }  # fmt: skip
    staged = [path.name for path in platform.data.iterdir() if "staged" in path.name]
    assert staged == []


def brokers(platform: LivePlatform) -> list[int]:
    """Process ids of nats-servers with this platform's configuration."""
    configuration = os.fsencode(platform.data / "broker" / "nats.conf")
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            if configuration in arguments and arguments[0].endswith(b"nats-server"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def describe(platform: LivePlatform, devices: Sequence[Path], missing: set[str]) -> str:
    books = Books(platform.registry)
    lines = [
        f"{device.name}: {remembered(device).journey}, {books.timeline(books.device(device.name))}"
        for device in devices
        if device.name in missing or not agree(books, device)
    ]
    return "\n".join(lines[:10])
