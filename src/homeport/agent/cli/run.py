# SPDX-License-Identifier: Apache-2.0
"""`homeport agent run`: the agent itself, until SIGTERM or SIGINT."""

import argparse
import asyncio
import logging
import signal

from homeport.agent.compose import Composition, Outside, compose
from homeport.agent.identity import load_device_settings
from homeport.agent.log import set_up_log
from homeport.agent.memory.store import locked
from homeport.agent.settings import AgentSettings
from homeport.errors import HomeportError

logger = logging.getLogger(__name__)


def run(settings: AgentSettings, _options: argparse.Namespace) -> int:
    """Run the agent; 0 when it was told to end."""
    return run_in(settings, Outside())


def run_in(settings: AgentSettings, outside: Outside) -> int:
    """Run it in the world given."""
    serial_number = load_device_settings(settings.identity).serial_number
    naming = set_up_log(settings.log, serial_number)
    with locked(settings.state):
        composition = compose(settings, outside)
        naming.name_of_device = lambda: composition.agent.status().device or serial_number
        try:
            asyncio.run(travel(composition))
        except BaseExceptionGroup as group:
            raise first_cause(group) from group
    return 0


async def travel(composition: Composition) -> None:
    """Run agent and door until a signal says to end; then say `offline`."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is None:
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(composition.door.serve(), name="local door")
            group.create_task(composition.agent.travel(), name="journey")
    except asyncio.CancelledError:
        logger.info("told to end")
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def first_cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return one of our own errors in the group, else the group: that is a fault of ours."""
    found, _ = group.split(HomeportError)
    while isinstance(found, BaseExceptionGroup):
        inner = found.exceptions[0]
        if not isinstance(inner, BaseExceptionGroup):
            return inner
        found = inner
    return group
