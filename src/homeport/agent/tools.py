# SPDX-License-Identifier: Apache-2.0
"""What every leg of the journey works with, put together by `compose`."""

from dataclasses import dataclass
from typing import Final

from homeport import VERSION
from homeport.agent.identity import Identity
from homeport.agent.memory.diary import Diary
from homeport.agent.memory.key_ring import KeyRing
from homeport.agent.memory.logbook import Logbook
from homeport.agent.platforms import Platforms
from homeport.agent.settings import AgentSettings
from homeport.agent.timekeeping import Timekeeper
from homeport.clock import Clock

AGENT: Final = f"homeport-agent/{VERSION}"
"""How the agent names itself to platforms."""


@dataclass(frozen=True)
class Tools:
    """The bill of materials."""

    settings: AgentSettings
    identity: Identity
    logbook: Logbook
    keys: KeyRing
    platforms: Platforms
    timekeeper: Timekeeper
    diary: Diary
    clock: Clock
