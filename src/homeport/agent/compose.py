# SPDX-License-Identifier: Apache-2.0
"""The only place where the agent's objects are built, from top to bottom: the bill of materials.

What reaches outside (store, clock, connections) may be given, which is how tests pull the plug.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from homeport.agent.agent import Agent
from homeport.agent.identity import load_identity
from homeport.agent.legs.operating import OpenUplink, Operating
from homeport.agent.legs.twinning import Twinning
from homeport.agent.local.door import Door
from homeport.agent.memory.diary import Diary
from homeport.agent.memory.key_ring import KeyRing
from homeport.agent.memory.logbook import Logbook
from homeport.agent.memory.store import Store
from homeport.agent.memory.twin import TwinFile
from homeport.agent.platforms import Platforms
from homeport.agent.settings import AgentSettings
from homeport.agent.timekeeping import Timekeeper, is_synchronised, step_system_clock
from homeport.agent.tools import Tools
from homeport.clock import Clock, SystemClock
from homeport.protocols.mqtt.device import load_library, open_uplink


@dataclass(frozen=True)
class Outside:
    """What is not the agent's own: replaced in tests."""

    clock: Clock = field(default_factory=SystemClock)
    open_uplink: OpenUplink = open_uplink
    load_library: Callable[[], None] = load_library
    step_clock: Callable[[datetime], None] = step_system_clock
    is_synchronised: Callable[[], bool] = is_synchronised
    open_store: Callable[..., Store] = Store
    make_key_ring: Callable[..., KeyRing] = KeyRing


@dataclass(frozen=True)
class Composition:
    """A whole agent."""

    agent: Agent
    door: Door
    tools: Tools


def compose(settings: AgentSettings, outside: Outside | None = None) -> Composition:
    """Build the agent. The caller holds the lock of the state directory.

    Raise what `load_identity` and `Store` raise, or SETTING_WRONG.
    """
    world = outside or Outside()
    # The token's module is loaded here first: the MQTT library can join it, not the other way.
    identity = load_identity(settings.identity)
    store = world.open_store(settings.state)
    diary = Diary(settings.state, world.clock, identity.device.model, identity.device.serial_number)
    diary.update(key_kind=identity.idevid.key.kind)
    logbook = Logbook(store, world.clock, lambda: diary.show(store.saved))
    tools = Tools(
        settings=settings,
        identity=identity,
        logbook=logbook,
        keys=world.make_key_ring(identity.device.operational_keys, store.keys),
        platforms=Platforms(settings, identity),
        timekeeper=Timekeeper(
            world.clock,
            max(store.lifetime.signed_time, store.saved.signed_time),
            step=world.step_clock if settings.set_clock else None,
            is_synchronised=world.is_synchronised,
        ),
        diary=diary,
        clock=world.clock,
    )
    operating = Operating(tools, world.open_uplink)
    twinning = Twinning(TwinFile(settings.state), world.clock)
    agent = Agent(tools, operating, twinning, world.load_library)
    door = Door(settings.socket_path, settings.socket_group, agent)
    operating.deliver = door.deliver
    operating.on_desired = twinning.hear
    twinning.show = door.show
    return Composition(agent, door, tools)
