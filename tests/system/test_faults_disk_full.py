# SPDX-License-Identifier: Apache-2.0
"""The platform's disk is full: it says so, refuses to promise anything, and goes on after."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.books import Books
from fakes.fleet import Fleet, has_arrived
from fakes.live import LiveFactory, LivePlatform, Reply
from fakes.waiting import wait_until
from homeport.agent.identity import load_identity
from homeport.errors import Code
from homeport.keys import make_key
from homeport.pki.requests import build_request
from homeport.protocols.native.device import DeviceFacts, KeyRequest, build_enrol_request
from homeport.protocols.native.wire import NetworkFacts

pytestmark = [pytest.mark.faults, pytest.mark.slow]

DISK = "64m"
SECONDS = 90.0
ROUNDS = 5
RATES = "[rates]\nsource_per_second = 100000.0\nsource_burst = 100000\n"


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A file system of its own, in memory."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", str(place)]
    subprocess.run(mount, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_said_and_got_over(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data"), LivePlatform(tmp_path, RATES) as platform:
        platform.operate("tenant", "add", "acme")
        factory = LiveFactory(tmp_path / "factory", platform)
        early, late, asking = chunks(factory.mint_sold(60, "acme"), 15, 15, 30)
        with Fleet(platform.address, tmp_path / "early.log", 1) as fleet:
            fleet.plug_in(early)
            wait_until(lambda: are_home(platform, early), SECONDS)
            ballast = fill(platform.data)
            refusal = first_refusal(platform, asking)
            assert refusal.status == 503, refusal.body
            assert refusal.json()["code"] == Code.STORAGE_UNAVAILABLE
            assert int(refusal.headers["retry-after"]) > 0
        for _ in range(ROUNDS):
            # Last wills, sessions and first words find no room at the broker either.
            with Fleet(platform.address, tmp_path / "rounds.log", 1) as fleet:
                fleet.plug_in(early)
                fleet.say(early, "is anybody there?", 2.0)
        with Fleet(platform.address, tmp_path / "fleet.log", 2) as fleet:
            fleet.plug_in([*early, *late])
            wait_until(lambda: "storage-unavailable" in fleet.log.read_text("utf-8"), SECONDS)
            assert platform.process.poll() is None
            ballast.unlink()
            everybody = [*early, *late]
            wait_until(lambda: are_home(platform, everybody), SECONDS)
            assert sorted(fleet.say(everybody, "again")) == sorted(d.name for d in everybody)
            assert fleet.ended() == []
        books = Books(platform.registry)
        assert books.faults() == []
        for device in everybody:
            assert books.timeline(books.device(device.name)).count("enrolment:completed") == 1


def fill(place: Path) -> Path:
    """Leave no room at all."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


def first_refusal(platform: LivePlatform, devices: list[Path]) -> Reply:
    """Enrol until there is no room: what is preallocated may take some."""
    for device in devices:
        reply = enrol(platform, device)
        if reply.status != 200:
            return reply
    raise AssertionError("it always had room")


def enrol(platform: LivePlatform, device: Path) -> Reply:
    identity, greeting = load_identity(device), platform.greet()
    key = make_key(f"file:{platform.directory / device.name}.key")
    facts = DeviceFacts(
        serial_number=identity.device.serial_number,
        model=identity.device.model,
        network=NetworkFacts(source="default"),
    )
    asked = KeyRequest(
        request_id=os.urandom(16).hex(),
        csr=build_request(key, identity.device.serial_number),
        epoch=0,
        agent="test/1",
    )
    request = build_enrol_request(
        identity.idevid, facts, asked, url=greeting.enrol, nonce=greeting.nonce
    )
    return platform.enrol(request.body)


def are_home(platform: LivePlatform, devices: list[Path]) -> bool:
    names = {device.name for device in devices}
    return Books(platform.registry).arrived() >= names and all(map(has_arrived, devices))


def chunks(devices: list[Path], *sizes: int) -> Iterator[list[Path]]:
    start = 0
    for size in sizes:
        yield devices[start : start + size]
        start += size
