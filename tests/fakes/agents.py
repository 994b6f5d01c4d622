# SPDX-License-Identifier: Apache-2.0
"""Running a whole agent in a test's event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from fakes.uplink import FakeBroker
from homeport.agent.compose import Composition, Outside, compose
from homeport.agent.journey import State
from homeport.agent.memory.records import Credential, Saved, Told
from homeport.agent.settings import AgentSettings, DiscoverySettings, RestSettings

SOON = timedelta(milliseconds=20)


def quick_settings(directory: Path, **changes: Any) -> AgentSettings:
    """Settings of a device in `directory` that never rests for long."""
    plain = AgentSettings(
        identity=directory / "device",
        state=directory / "state",
        set_clock=False,
        rest=RestSettings(first=SOON, ceiling=SOON, refused=SOON),
        discovery=DiscoverySettings(announce=False),
    )
    return replace(plain, **changes)


async def until(is_true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that another thread or the agent brings about."""
    async with asyncio.timeout(seconds):
        while not is_true():  # noqa: ASYNC110  (state has no event for tests)
            await asyncio.sleep(0.003)


class RunningAgent:
    """An agent that travels in this event loop."""

    def __init__(self, composition: Composition) -> None:
        """Take what `compose` made."""
        self.composition = composition
        self.agent = composition.agent
        self.tools = composition.tools

    @property
    def saved(self) -> Saved:
        """What it remembers."""
        return self.tools.logbook.saved

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.saved.journey

    @property
    def credential(self) -> Credential:
        """The newest it has."""
        assert self.saved.credential is not None
        return self.saved.credential

    @property
    def told(self) -> Told:
        """What its status says that the platform said."""
        told = self.agent.status().told
        assert told is not None
        return told

    async def reaches(self, state: State, seconds: float = 10.0) -> None:
        """Wait until it stands there."""
        await until(lambda: self.state is state, seconds)


@asynccontextmanager
async def running_agent(
    settings: AgentSettings, broker: FakeBroker, **outside: Any
) -> AsyncIterator[RunningAgent]:
    """Run an agent, with its door, until the block ends."""
    world = Outside(open_uplink=broker.open_uplink, **outside)
    composition = compose(settings, world)
    async with asyncio.TaskGroup() as group:
        journey = group.create_task(composition.agent.travel())
        door = group.create_task(composition.door.serve())
        try:
            yield RunningAgent(composition)
        finally:
            journey.cancel()
            door.cancel()
