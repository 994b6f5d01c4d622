# SPDX-License-Identifier: Apache-2.0
"""A parked device goes on within a second of the fact that it waited for, whoever supplied it."""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fakes.live import NAME, LivePlatform, answer_in
from fakes.waiting import wait_until
from homeport.protocols.native.wire import Enrolled
from integration.test_bad_input import RATES, hand_over
from tools.vectors_native.identities import Identity
from tools.vectors_native.scene import Maker, PlatformKeys, Scene

WITHIN = 1.0
"""Seconds from the end of the command to the device's answer, as the product promises."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePlatform]:
    with LivePlatform(tmp_path_factory.mktemp("platform"), RATES) as running:
        for tenant in ("acme", "other"):
            running.operate("tenant", "add", tenant)
        yield running


@pytest.fixture(scope="module")
def scene(platform: LivePlatform, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    maker = Maker()
    hand_over(platform, tmp_path_factory.mktemp("maker"), maker.device(), maker.root, "one")
    return Scene(
        url=platform.url,
        now=dt.datetime.now(dt.UTC),
        maker=maker,
        platform=PlatformKeys(NAME),
        nonce=lambda: platform.greet().nonce,
        ldevid=maker.device(),
    )


def goes_on(
    platform: LivePlatform, scene: Scene, device: Identity, supply: Callable[[], object]
) -> dict[str, object]:
    """Park the device in a long poll, supply the fact, and return what the platform shows then."""
    body = scene.enrol(device).with_payload(wait=30).body()
    with ThreadPoolExecutor(1) as threads:
        answering = threads.submit(platform.enrol, body)
        wait_until(lambda: state_of(platform, device) == "awaiting-owner")
        assert not answering.done()
        supply()
        supplied = time.monotonic()
        answer = answer_in(answering.result(timeout=30))
        took = time.monotonic() - supplied
    assert isinstance(answer, Enrolled)
    assert took < WITHIN
    shown: dict[str, object] = json.loads(
        platform.operate("device", "ownership", device.serial_number, "--json")
    )
    return shown


def state_of(platform: LivePlatform, device: Identity) -> str | None:
    rows = json.loads(platform.operate("device", "list", "--json"))
    return {row["serial_number"]: row["state"] for row in rows}.get(device.serial_number)


def correct(platform: LivePlatform, device: Identity, tenant: str, action: str) -> Path:
    file = platform.directory / f"{device.serial_number}-{action}.csv"
    rows = f"serial_number,tenant,action\n{device.serial_number},{tenant},{action}\n"
    file.write_text(rows, encoding="utf-8")
    platform.operate("sales", "import", file)
    return file


def test_of_a_sale(platform: LivePlatform, scene: Scene) -> None:
    device = scene.maker.device()
    shown = goes_on(platform, scene, device, lambda: platform.sell(device.serial_number, "acme"))
    assert (shown["tenant"], shown["proof"]) == ("acme", "sales-record")


def test_of_a_correction(platform: LivePlatform, scene: Scene) -> None:
    device = scene.maker.device()
    platform.sell(device.serial_number, "acme")
    correct(platform, device, "acme", "cancellation")
    shown = goes_on(
        platform, scene, device, lambda: correct(platform, device, "other", "correction")
    )
    assert (shown["tenant"], shown["epoch"]) == ("other", 1)


def test_of_a_claim(platform: LivePlatform, scene: Scene) -> None:
    device = scene.maker.device()
    code = platform.directory / "code"

    def claim() -> None:
        made = platform.operate("device", "claim-code", device.serial_number, "--json")
        code.write_text(json.loads(made)["code"])
        platform.operate(
            "device", "claim", device.serial_number, "--tenant", "other", "--code-file", code
        )

    shown = goes_on(platform, scene, device, claim)
    assert (shown["tenant"], shown["proof"]) == ("other", "claim-code")
    entries = shown["entries"]
    assert isinstance(entries, list)
    assert [entry["kind"] for entry in entries] == ["claimed", "claim-confirmed"]
