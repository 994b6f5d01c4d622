# SPDX-License-Identifier: Apache-2.0
"""Transfer, replace and decommission, end to end: real platform, real broker, real agents."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nats
import pytest
from nats.js.errors import NotFoundError

from fakes.books import Books
from fakes.fleet import Fleet, has_arrived, name_of, remembered
from fakes.live import HOMEPORT, LiveFactory, LivePlatform
from fakes.operating import ACTOR, names, now, operate
from fakes.waiting import wait_until
from homeport.agent.journey import State
from homeport.broker.access import ACCESS_FILE, BrokerAccess
from homeport.domain.device import Device
from homeport.domain.ownership import Ownership
from homeport.provisioning.life.decommission import decommission, recommission
from homeport.provisioning.life.offer import offer
from homeport.provisioning.life.replace_device import replace_device
from homeport.provisioning.life.take_over import Buyer, take_over
from homeport.provisioning.ports import Transaction
from homeport.server.opening import broker_directory
from homeport.server.settings import load_settings

SECONDS = 30.0
AT_ONCE = 1.0
"""Seconds between the commit and the end of the old connection."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePlatform]:
    with LivePlatform(tmp_path_factory.mktemp("platform")) as platform:
        for tenant in ("acme", "globex"):
            platform.operate("tenant", "add", tenant)
        yield platform


@pytest.fixture(scope="module")
def devices(platform: LivePlatform, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return LiveFactory(tmp_path_factory.mktemp("factory"), platform).mint_sold(5, "acme")


@pytest.fixture(scope="module")
def fleet(
    platform: LivePlatform, devices: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    log = tmp_path_factory.mktemp("fleet") / "fleet.log"
    with Fleet(platform.address, log, 1) as fleet:
        fleet.plug_in(devices[:3])
        for device in devices[:3]:
            wait_until(lambda device=device: has_arrived(device), SECONDS)  # type: ignore[misc]
        yield fleet


def hand_over(platform: LivePlatform, device: Path) -> None:
    """Offer it to globex, and accept it there."""
    made = operate(
        platform, device.name, lambda tx, d: offer(tx, d, "globex", actor=ACTOR, now=now())
    )

    async def accept(tx: Transaction, _: Device) -> None:
        await take_over(tx, made.offer, Buyer(tenant="globex"), actor=ACTOR, now=now())

    operate(platform, device.name, accept)


def look(platform: LivePlatform, device: Path) -> Device:
    async def found(_: Transaction, device: Device) -> Device:
        return device

    return operate(platform, device.name, found)


@contextmanager
def heard(platform: LivePlatform, tenant: str, path: Path) -> Iterator[None]:
    """Write down what a tenant's permitted subscriber hears."""
    config = ["--tenant", tenant, "--json", "--config", str(platform.config)]
    command = [*HOMEPORT, "upstream", "watch", *config]
    with path.open("w") as file, subprocess.Popen(command, stdout=file) as watching:
        try:
            yield
        finally:
            watching.terminate()


def payloads(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    return [str(json.loads(line)["payload"]) for line in lines if line.startswith("{")]


def retained(platform: LivePlatform, topic: str) -> bool:
    """Whether the broker keeps a message there for whoever subscribes."""
    directory = broker_directory(load_settings(platform.config, {}))
    access = BrokerAccess.read(directory / ACCESS_FILE)

    async def look_up() -> bool:
        client = await nats.connect(access.urls[0], nkeys_seed_str=access.platform.reveal())
        try:
            subject = "$MQTT.rmsgs." + topic.replace("/", ".")
            await client.jetstream().get_last_msg("$MQTT_rmsgs", subject)
        except NotFoundError:
            return False
        finally:
            await client.close()
        return True

    return asyncio.run(look_up())


def has_come_over(platform: LivePlatform, device: Path) -> bool:
    known = look(platform, device)
    return (known.tenant, known.ownership) == ("globex", Ownership.OWNED)


def test_a_transferred_device_goes_over_by_itself(
    platform: LivePlatform, fleet: Fleet, devices: list[Path], tmp_path: Path
) -> None:
    device, witness = devices[0], devices[1]
    before = remembered(device).credential
    assert before is not None
    old, new = tmp_path / "acme", tmp_path / "globex"
    with heard(platform, "acme", old), heard(platform, "globex", new):
        wait_until(lambda: fleet.say([device], "acme's secret") and payloads(old), SECONDS)
        assert retained(platform, f"{before.topics}/state")
        hand_over(platform, device)
        begun = time.monotonic()
        wait_until(lambda: _is_out(device), SECONDS)
        assert time.monotonic() - begun < AT_ONCE
        wait_until(lambda: has_come_over(platform, device), SECONDS)
        took = time.monotonic() - begun
        after = remembered(device).credential
        assert after is not None
        assert (after.tenant, after.epoch, before.epoch) == ("globex", 2, 1)
        assert after.key != before.key
        assert fleet.say([device], "globex's secret") == [device.name]
        assert fleet.say([witness], "still acme's") == [witness.name]
        wait_until(lambda: "globex's secret" in payloads(new), SECONDS)
        wait_until(lambda: "still acme's" in payloads(old), SECONDS)
        assert "globex's secret" not in payloads(old)
        assert "acme's secret" not in payloads(new)
    assert took < SECONDS / 2, f"{took} s"
    books = Books(platform.registry)
    assert books.current(books.device(device.name)) == [name_of(remembered(device))]
    wait_until(lambda: not retained(platform, f"{before.topics}/state"), SECONDS)
    assert retained(platform, f"{after.topics}/state")
    assert fleet.ended() == []


def _is_out(device: Path) -> bool:
    return remembered(device).journey is not State.OPERATIONAL


def test_another_device_takes_the_place_of_a_broken_one(
    platform: LivePlatform, fleet: Fleet, devices: list[Path]
) -> None:
    old, new = devices[1], devices[3]

    async def exchange(tx: Transaction, broken: Device) -> None:
        (spare,) = await tx.devices.find(new.name)
        await replace_device(tx, broken, spare, actor=ACTOR, now=now())

    operate(platform, old.name, exchange)
    wait_until(lambda: remembered(old).journey is State.REVOKED, SECONDS)
    assert fleet.say([old], "still here", 2.0) == []
    fleet.plug_in([new])
    wait_until(lambda: has_arrived(new), SECONDS)
    assert fleet.say([new], "in its place") == [new.name]
    assert "device:took-place" in names(platform, new.name)


def test_a_decommissioned_device_is_kept_out_until_it_is_taken_back(
    platform: LivePlatform, fleet: Fleet, devices: list[Path]
) -> None:
    device = devices[2]
    operate(platform, device.name, lambda tx, d: decommission(tx, d, actor=ACTOR, now=now()))
    wait_until(lambda: _told(device) == "device-decommissioned", SECONDS)
    assert remembered(device).journey is State.REVOKED
    assert fleet.say([device], "still here", 2.0) == []
    operate(
        platform, device.name, lambda tx, d: recommission(tx, d, "acme", actor=ACTOR, now=now())
    )
    wait_until(lambda: has_arrived(device), SECONDS)
    assert fleet.say([device], "back") == [device.name]


def _told(device: Path) -> str:
    told = remembered(device).told
    return told.code if told else ""


@pytest.mark.parametrize("killed", ["server", "agent", "both"])
def test_a_kill_in_the_middle_of_a_transfer_ends_in_the_same_place(
    tmp_path: Path, killed: str
) -> None:
    with LivePlatform(tmp_path) as platform:
        for tenant in ("acme", "globex"):
            platform.operate("tenant", "add", tenant)
        (device,) = LiveFactory(tmp_path / "factory", platform).mint_sold(1, "acme")
        fleet = Fleet(platform.address, tmp_path / "fleet.log", 1)
        fleet.plug_in([device])
        wait_until(lambda: has_arrived(device), SECONDS)
        if killed in ("server", "both"):
            platform.process.send_signal(signal.SIGSTOP)  # it commits nothing more, acts on nothing
        hand_over(platform, device)
        if killed in ("server", "both"):
            platform.end(signal.SIGKILL)
        if killed in ("agent", "both"):
            fleet.__exit__()
            fleet = Fleet(platform.address, tmp_path / "fleet.log", 1)
            fleet.plug_in([device])
        if killed in ("server", "both"):
            platform.start()
            platform.wait_until_it_answers()
        wait_until(lambda: has_come_over(platform, device), SECONDS)
        wait_until(lambda: fleet.say([device], "here", 5.0) == [device.name], SECONDS)
        fleet.__exit__()
        saved = remembered(device).credential
        assert saved is not None
        assert (saved.tenant, saved.epoch) == ("globex", 2)
        books = Books(platform.registry)
        assert books.current(books.device(device.name)) == [name_of(remembered(device))]
