# SPDX-License-Identifier: Apache-2.0
"""The whole agent against a platform that speaks real HTTPS, and a broker that breaks on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.platform import fake_site
from fakes.uplink import FakeBroker
from homeport.agent.compose import Composition, Outside, compose
from homeport.agent.journey import State
from homeport.agent.settings import AgentSettings, DiscoverySettings, RestSettings

SOON = timedelta(milliseconds=20)


def settings_for(tmp_path: Path, **changes: Any) -> AgentSettings:
    quick = RestSettings(first=SOON, ceiling=SOON, refused=SOON)
    plain = AgentSettings(
        identity=tmp_path / "device",
        state=tmp_path / "state",
        set_clock=False,
        rest=quick,
        discovery=DiscoverySettings(announce=False),
    )
    return replace(plain, **changes)


@asynccontextmanager
async def running(composition: Composition) -> AsyncIterator[Composition]:
    async with asyncio.TaskGroup() as group:
        journey = group.create_task(composition.agent.travel())
        door = group.create_task(composition.door.serve())
        yield composition
        journey.cancel()
        door.cancel()


async def until(is_true: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not is_true():
            await asyncio.sleep(0.005)


def state_of(composition: Composition) -> State:
    return composition.tools.logbook.saved.journey


@pytest.fixture
def site(tmp_path):
    with fake_site(tmp_path) as made:
        yield made


def test_a_device_comes_home_and_says_so(site, tmp_path):
    platform, _ = site
    broker = FakeBroker()

    async def scenario() -> None:
        made = compose(settings_for(tmp_path), Outside(open_uplink=broker.open_uplink))
        async with running(made):
            await until(lambda: state_of(made) is State.OPERATIONAL)
            device = made.agent.status().device
            assert broker.state_of(device)["state"] == "online"
            assert broker.attempts[0].server_name == platform.name
            assert broker.attempts[0].host == "127.0.0.1"
        assert broker.state_of(device)["state"] == "offline"

    asyncio.run(scenario())
    assert len(platform.enrolments) == len(platform.issued) == 1
    assert platform.connections == 1
