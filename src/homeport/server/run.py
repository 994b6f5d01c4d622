# SPDX-License-Identifier: Apache-2.0
"""Run the platform: build it, start every task, and end them in order.

Each task has an owner (the task group) and a name. The file `ready.json` in the data directory
tells other processes that the platform answers, and where; it is gone when it ends.
"""

import asyncio
import gc
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from homeport.clock import SystemClock
from homeport.server.compose import Platform, compose
from homeport.server.listeners import allow_connections
from homeport.server.settings import ServerSettings
from homeport.telemetry import note

_log: Final = logging.getLogger("homeport.server")

READY_FILE: Final = "ready.json"

YOUNG_OBJECTS: Final = 50_000
"""Allocations between two looks of the garbage collector. Requests leave no cycles behind; at the
usual 700 the collector took a fifth of an enrolment's time (110 of 400 µs in the registry)."""


async def run(settings: ServerSettings, stop: asyncio.Event) -> None:
    """Run until `stop` is set; HomeportError if it cannot begin."""
    allow_connections()
    gc.set_threshold(YOUNG_OBJECTS)
    _take_back(settings.data / READY_FILE)
    async with compose(settings, SystemClock()) as platform:
        await _run(platform, settings, stop)
    note(_log, logging.INFO, "the platform ended")


async def _run(platform: Platform, settings: ServerSettings, stop: asyncio.Event) -> None:
    # What is there now stays: modules, keys, compiled statements. It need not be looked at again.
    gc.freeze()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(task(), name=name) for name, task in platform.tasks.items()]
        doors = [
            group.create_task(listener.serve(stop), name=listener.place.name)
            for listener in platform.listeners
        ]
        with _ready(settings):
            note(_log, logging.INFO, "the platform answers", url=settings.url)
            await asyncio.wait(doors)
        for task in tasks:
            task.cancel()


def _take_back(ready: Path) -> None:
    """Remove what a killed platform said, but not the word of one that runs."""
    try:
        os.kill(int(json.loads(ready.read_bytes())["pid"]), 0)
    except FileNotFoundError:
        return
    except PermissionError:
        return  # another user's, and alive
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        ready.unlink(missing_ok=True)


@contextmanager
def _ready(settings: ServerSettings) -> Iterator[None]:
    path = settings.data / READY_FILE
    path.write_text(json.dumps({"pid": os.getpid(), "url": settings.url}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
