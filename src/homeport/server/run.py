# SPDX-License-Identifier: Apache-2.0
"""Run the platform: build it, start every task, and end them in order.

Each task has an owner (the task group) and a name. One process at a time runs on a data directory.
The file `ready.json` in it tells others that the platform answers, and where; it is gone when it
ends.
"""

import asyncio
import fcntl
import gc
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from homeport.clock import SystemClock
from homeport.errors import Code, HomeportError
from homeport.server.compose import Platform, compose
from homeport.server.listeners import allow_connections
from homeport.server.settings import ServerSettings
from homeport.telemetry import note

_log: Final = logging.getLogger("homeport.server")

READY_FILE: Final = "ready.json"
LOCK_FILE: Final = "serve.lock"

YOUNG_OBJECTS: Final = 50_000
"""Allocations between two looks of the garbage collector. Requests leave no cycles behind; at the
usual 700 the collector took a fifth of an enrolment's time (110 of 400 µs in the registry)."""


async def run(settings: ServerSettings, stop: asyncio.Event) -> None:
    """Run until `stop` is set; HomeportError if it cannot begin."""
    allow_connections()
    gc.set_threshold(YOUNG_OBJECTS)
    with _alone(settings.data):
        # Left by a platform that was killed.
        (settings.data / READY_FILE).unlink(missing_ok=True)
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


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Keep a second platform out of the directory, before it makes or renews anything there.

    Under another name it would replace the certificates of the one that runs. The lock ends with
    the process, however it ends. Raise ALREADY_EXISTS, STORAGE_UNAVAILABLE.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(data / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        detail = f"{data}: {error.strerror}"
        raise HomeportError(Code.STORAGE_UNAVAILABLE, detail) from None
    try:
        _own(descriptor, data)
        yield
    finally:
        os.close(descriptor)


def _own(descriptor: int, data: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise HomeportError(Code.ALREADY_EXISTS, f"another homeport serve uses {data}") from None


@contextmanager
def _ready(settings: ServerSettings) -> Iterator[None]:
    path = settings.data / READY_FILE
    path.write_text(json.dumps({"pid": os.getpid(), "url": settings.url}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
