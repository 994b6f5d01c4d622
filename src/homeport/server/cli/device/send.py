# SPDX-License-Identifier: Apache-2.0
"""`homeport device send`."""

import asyncio
from typing import Annotated

import typer

from homeport.domain.topics import Branch, Topic
from homeport.errors import Code, HomeportError
from homeport.server.cli.lookup import one_device
from homeport.server.cli.session import Config, Data, Json, print_json, read, say, settings_of
from homeport.server.settings import ServerSettings


def send(
    serial: Annotated[str, typer.Argument(help="Serial number, or the whole device id.")],
    channel: Annotated[str, typer.Argument(help="Below `down`, such as set-point or set/fan.")],
    payload: Annotated[str, typer.Argument(help="Text; JSON by custom.")],
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell a device something; it is kept for a device that is away."""
    settings = settings_of(config, data)
    device = read(settings, lambda tx: one_device(tx, serial))
    if device.tenant is None:
        raise HomeportError(Code.TENANT_UNKNOWN, f"{serial} has no owner, so it has no topics")
    topic = Topic(device.tenant, device.id, Branch.DOWN, channel)
    asyncio.run(_send(settings, topic, payload.encode()))
    if as_json:
        print_json({"topic": str(topic)})
    else:
        say(f"Sent to {topic}.")


async def _send(settings: ServerSettings, topic: Topic, payload: bytes) -> None:
    from homeport.broker.link import BrokerLink  # NATS: only where it is needed
    from homeport.server.opening import broker_access

    async with BrokerLink(broker_access(settings)) as link:
        await link.send(topic, payload)
