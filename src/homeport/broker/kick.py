# SPDX-License-Identifier: Apache-2.0
"""End a device's connections at once, on every broker node.

The registry has recorded the revocation before; so whoever asks to come in from now on is refused.
Each server is asked for connections with the device's MQTT client id and told to end them. A
connection that was being admitted in that moment is caught by later sweeps: after the longest time
that a log-in takes there can be none.
"""

import logging
from datetime import timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from homeport.broker.callout import ANSWER_SECONDS
from homeport.broker.client import Client, heed_cancellation
from homeport.clock import Clock
from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError

log: Final = logging.getLogger(__name__)

REPLY_SECONDS: Final = 2.0
"""Longest wait for one server's reply."""
GATHER_SECONDS: Final = 0.15
"""Servers of a cluster answer within a round trip; after this long a silence all have."""
SWEEPS: Final = tuple(
    timedelta(seconds=after) for after in (0, 0.5, ANSWER_SECONDS / 2, ANSWER_SECONDS + 1)
)
"""Pauses before each look: at once, then until every admission that was under way is through."""
CONNECTIONS: Final = 64
"""Most that one server names; the broker keeps one connection for a client id."""
_LIST: Final = "$SYS.REQ.SERVER.PING.CONNZ"


class _ServerName(Struct):
    id: Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,64}(?!\n)$")]


class _Connection(Struct, frozen=True):
    cid: int


class _Connections(Struct, frozen=True):
    connections: tuple[_Connection, ...] = ()


class _Reply(Struct):
    server: _ServerName
    data: _Connections = _Connections()


async def disconnect(system: Client, device: DeviceId, clock: Clock) -> int:
    """End the device's connections, and those that slip in behind; return how many there were.

    The first sweep is done within milliseconds, the last seconds later. HomeportError
    (BROKER_UNAVAILABLE) if the broker does not answer: then try again.
    """
    ended = 0
    for pause in SWEEPS:
        if pause:
            await clock.sleep(pause)
        ended += await sweep(system, device)
    return ended


async def sweep(system: Client, device: DeviceId) -> int:
    """End the connections that the device has now; return how many.

    Every server is asked at once, and each of its connections is ended as soon as it answers.
    """
    inbox = system.new_inbox()
    try:
        replies = await system.subscribe(inbox)
        try:
            ended = await _end_found(system, replies, device)
        finally:
            await replies.unsubscribe()
    except (NatsError, OSError, TimeoutError, msgspec.MsgspecError) as error:
        raise HomeportError(Code.BROKER_UNAVAILABLE, f"disconnecting {device}: {error}") from error
    if ended:
        log.info("broker: disconnected", extra={"device": str(device), "count": ended})
    return ended


async def _end_found(system: Client, replies: Subscription, device: DeviceId) -> int:
    question = {"mqtt_client": str(device), "limit": CONNECTIONS}
    await system.publish(_LIST, msgspec.json.encode(question), reply=replies.subject)
    message = await replies.next_msg(timeout=REPLY_SECONDS)
    ended = 0
    while True:
        reply = msgspec.json.decode(message.data, type=_Reply)
        for connection in reply.data.connections:
            order = msgspec.json.encode({"cid": connection.cid})
            await system.request(
                f"$SYS.REQ.SERVER.{reply.server.id}.KICK", order, timeout=REPLY_SECONDS
            )
            ended += 1
        try:
            message = await replies.next_msg(timeout=GATHER_SECONDS)
            heed_cancellation()
        except TimeoutError:
            return ended
