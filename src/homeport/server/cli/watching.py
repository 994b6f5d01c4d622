# SPDX-License-Identifier: Apache-2.0
"""Show devices' messages as they arrive at the broker."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

from homeport.broker.access import BrokerAccess
from homeport.broker.link import BrokerLink, Message
from homeport.errors import Code, HomeportError
from homeport.server.cli.session import now
from homeport.server.opening import broker_access
from homeport.server.settings import ServerSettings
from homeport.telemetry import visible

LOOK_SECONDS: Final = 0.5
"""Between two looks at whether the platform has started anew."""


async def watch_messages(
    settings: ServerSettings, *, tenant: str | None, count: int, as_json: bool
) -> None:
    """Print messages until `count` were seen; 0 means for ever, also when the platform restarts."""
    show = _as_json if as_json else _as_text
    left = count or sys.maxsize
    access = broker_access(settings)
    is_first = True
    while left:
        try:
            async with BrokerLink(access) as link:
                left = await _watch(link, tenant, left, show, _renewed(settings, access))
        except HomeportError as error:
            # It may be starting still; at first, whoever typed the command wants to know.
            if is_first or error.code is not Code.BROKER_UNAVAILABLE:
                raise
            await asyncio.sleep(LOOK_SECONDS)
        is_first = False
        access = broker_access(settings)


async def _watch(
    link: BrokerLink,
    tenant: str | None,
    left: int,
    show: Callable[[Message], str],
    ended: Coroutine[Any, Any, None],
) -> int:
    """Print messages until `left` were seen or it has ended; return how many are left then."""

    async def watch() -> None:
        nonlocal left
        async with contextlib.aclosing(link.watch(tenant)) as messages:
            async for message in messages:
                sys.stdout.write(show(message) + "\n")
                sys.stdout.flush()
                left -= 1
                if not left:
                    return

    async with asyncio.TaskGroup() as group:
        tasks = {group.create_task(watch()), group.create_task(ended)}
        _, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            task.cancel()
    return left


async def _renewed(settings: ServerSettings, access: BrokerAccess) -> None:
    """Return when the platform has started anew: its broker then knows none of the old seeds."""
    while _seed(settings) in {None, access.platform.reveal()}:  # noqa: ASYNC110  (a file has no event)
        await asyncio.sleep(LOOK_SECONDS)


def _seed(settings: ServerSettings) -> str | None:
    try:
        return broker_access(settings).platform.reveal()
    except HomeportError:  # the platform is away, or just writes it
        return None


def _as_json(message: Message) -> str:
    payload = message.payload.decode("utf-8", "replace")
    return json.dumps({"at": now().isoformat(), "topic": str(message.topic), "payload": payload})


def _as_text(message: Message) -> str:
    # On one line: a line break would let a device forge a message of another.
    payload = visible(message.payload.decode("utf-8", "replace"))
    return f"{now():%H:%M:%S}  {message.topic}  {payload}"
