# SPDX-License-Identifier: Apache-2.0
"""Show devices' messages as they arrive at the broker."""

import json
import sys
from collections.abc import AsyncIterator

from homeport.broker.link import BrokerLink, Message
from homeport.server.cli.session import now
from homeport.server.opening import broker_access
from homeport.server.settings import ServerSettings
from homeport.telemetry import visible


async def watch_messages(
    settings: ServerSettings, *, tenant: str | None, count: int, as_json: bool
) -> None:
    """Print messages until `count` were seen; 0 means for ever."""
    async with BrokerLink(broker_access(settings)) as link:
        messages: AsyncIterator[Message] = link.watch(tenant)
        seen = 0
        async for message in messages:
            sys.stdout.write((_as_json(message) if as_json else _as_text(message)) + "\n")
            sys.stdout.flush()
            seen += 1
            if seen == count:
                return


def _as_json(message: Message) -> str:
    payload = message.payload.decode("utf-8", "replace")
    return json.dumps({"at": now().isoformat(), "topic": str(message.topic), "payload": payload})


def _as_text(message: Message) -> str:
    # On one line: a line break would let a device forge a message of another.
    payload = visible(message.payload.decode("utf-8", "replace"))
    return f"{now():%H:%M:%S}  {message.topic}  {payload}"
