# SPDX-License-Identifier: Apache-2.0
"""Renew, rekey and reset by command, and quarantine: real platform, real broker, real agents."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.books import Books
from fakes.fleet import Fleet, has_arrived, name_of, remembered, state_of
from fakes.live import HOMEPORT, LiveFactory, LivePlatform
from fakes.operating import ACTOR, names, now, operate
from fakes.waiting import wait_until
from homeport.agent.memory.diary import read_status
from homeport.domain.life.command import Order
from homeport.provisioning.life.ask import ask
from homeport.provisioning.life.quarantine import quarantine, release

SECONDS = 20.0


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePlatform]:
    with LivePlatform(tmp_path_factory.mktemp("platform")) as platform:
        platform.operate("tenant", "add", "acme")
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
        fleet.plug_in(devices[:4])
        for device in devices[:4]:
            wait_until(lambda device=device: has_arrived(device), SECONDS)  # type: ignore[misc]
        yield fleet


def order(platform: LivePlatform, device: Path, what: Order) -> None:
    operate(platform, device.name, lambda tx, d: ask(tx, d, what, actor=ACTOR, now=now()))


def wait_for(platform: LivePlatform, device: Path, name: str) -> None:
    wait_until(lambda: name in names(platform, device.name), SECONDS)


def test_a_device_rekeys_when_it_is_asked(
    platform: LivePlatform, fleet: Fleet, devices: list[Path]
) -> None:
    device = devices[0]
    before = remembered(device).credential
    order(platform, device, Order.REKEY)
    wait_for(platform, device, "command:obeyed")
    after = remembered(device).credential
    assert before is not None
    assert after is not None
    assert after.key != before.key
    story = names(platform, device.name)
    assert story.index("command:asked") < story.index("credential:renewed")
    assert story.index("credential:replaced") < story.index("command:obeyed")
    assert fleet.say([device], "with the new key") == [device.name]
    order(platform, device, Order.RENEW)
    wait_until(lambda: names(platform, device.name).count("command:obeyed") == 2, SECONDS)
    renewed = remembered(device).credential
    assert renewed is not None
    assert (renewed.key, renewed.certificate[0] == after.certificate[0]) == (after.key, False)
    wait_until(lambda: remembered(device).command is None, SECONDS)
    assert names(platform, device.name).count("credential:renewed") == 2, "each was done once"


def test_a_device_resets_when_it_is_asked_and_comes_back(
    platform: LivePlatform, fleet: Fleet, devices: list[Path]
) -> None:
    device = devices[1]
    before = name_of(remembered(device))
    order(platform, device, Order.RESET)
    wait_until(
        lambda: has_arrived(device) and name_of(remembered(device)) not in ("", before), SECONDS
    )
    wait_until(lambda: names(platform, device.name).count("enrolment:completed") == 2, SECONDS)
    story = names(platform, device.name)
    assert "enrolment:parked" not in story, "nobody had to decide about its new key"
    assert story.count("command:obeyed") == 1
    books = Books(platform.registry)
    assert books.current(books.device(device.name)) == [name_of(remembered(device))]
    assert books.credentials[before]["state"] == "revoked"
    assert fleet.say([device], "again") == [device.name]


def test_a_device_that_was_away_hears_it_when_it_is_back(
    platform: LivePlatform, fleet: Fleet, devices: list[Path], tmp_path: Path
) -> None:
    device = devices[4]
    with Fleet(platform.address, tmp_path / "first.log", 1) as first:
        first.plug_in([device])
        wait_until(lambda: has_arrived(device), SECONDS)
    order(platform, device, Order.REKEY)
    assert "command:obeyed" not in names(platform, device.name)
    fleet.plug_in([device])
    wait_for(platform, device, "command:obeyed")
    assert fleet.ended() == []


def test_quarantine_stops_its_messages_and_nothing_else(
    platform: LivePlatform, fleet: Fleet, devices: list[Path], tmp_path: Path
) -> None:
    held, witness = devices[2], devices[3]
    heard = tmp_path / "heard"
    command = [*HOMEPORT, "upstream", "watch", "--json", "--config", str(platform.config)]
    with heard.open("w") as file, subprocess.Popen(command, stdout=file) as watching:
        wait_until(lambda: fleet.say([witness], "tick") and _payloads(heard), SECONDS)
        operate(
            platform,
            held.name,
            lambda tx, d: quarantine(tx, d, "it shouts", actor=ACTOR, now=now()),
        )
        wait_until(lambda: _is_held(held), SECONDS)
        assert fleet.say([held], "from inside", 2.0) == [], "the program learns that it waits"
        assert fleet.say([witness], "from outside") == [witness.name]
        wait_until(lambda: "from outside" in _payloads(heard), SECONDS)
        # It is still managed: asked to rekey in quarantine, it does.
        order(platform, held, Order.REKEY)
        wait_for(platform, held, "command:obeyed")
        wait_until(lambda: _is_held(held), SECONDS)
        operate(platform, held.name, lambda tx, d: release(tx, d, actor=ACTOR, now=now()))
        assert fleet.say([held], "free again") == [held.name]
        wait_until(lambda: "free again" in _payloads(heard), SECONDS)
        assert "from inside" not in _payloads(heard)
        watching.terminate()


def _is_held(device: Path) -> bool:
    status = read_status(state_of(device))
    return status is not None and status.is_held and bool(status.endpoint)


def _payloads(heard: Path) -> list[str]:
    lines = heard.read_text().splitlines()
    return [str(json.loads(line)["payload"]) for line in lines if line.startswith("{")]
