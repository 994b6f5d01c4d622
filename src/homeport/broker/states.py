# SPDX-License-Identifier: Apache-2.0
"""What devices say to the platform, each handed over at least once, also of while we were away.

A JetStream stream keeps what devices say at `hp/<tenant>/<device>/state`, and at the other topics
of `domain.topics.TO_PLATFORM`, until it was handled ("work queue": what is acknowledged is deleted,
so it stays small). It is acknowledged after the registry has committed. The messages of one topic
are handled in order, different ones' side by side. Who may publish to a subject is that device, so
the subject says who speaks.

MQTT's own copy of what devices retain is kept by NATS; here it only gets limits. There is no
permission "retain": below its own `up` a device can retain messages in any number of topics, and a
full store lets nobody log in any more, also after a restart (tried). What goes beyond the limits is
delivered and not retained, which hides no state from the platform.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from homeport.broker.client import Client
from homeport.broker.retained import STREAM as RETAINED
from homeport.clock import Clock
from homeport.domain.topics import spoken_to_platform
from homeport.errors import MalformedError

log: Final = logging.getLogger(__name__)

STREAM: Final = "HOMEPORT_STATES"
CONSUMER: Final = "homeport"
_DELIVERY: Final = "_homeport.states"
"""Where the broker delivers to; the servers of one platform share it. No device may subscribe."""
PER_DEVICE: Final = 16
"""Messages kept of one device that nobody has handled: more only has a link that flaps; the oldest
go first."""
SPOKEN_MAX_BYTES: Final = 20 * 1024
"""Larger ones are none that we know (`REPORTED_MAX_BYTES`); the stream does not take them."""
KEPT: Final = timedelta(days=30)
"""A platform that was away longer asks its devices, not the stream."""
ACK_WAIT: Final = timedelta(seconds=60)
"""Then a message is given to another server: this one is stuck or gone."""
AT_ONCE: Final = 512
"""Messages handed out and not yet acknowledged: enough to fill the registry's group commits."""
RETRY_FIRST: Final = timedelta(milliseconds=500)
RETRY_LONGEST: Final = timedelta(seconds=30)
"""Pauses while the registry cannot take it."""

_RETAINED_SUBJECTS: Final = "$MQTT.rmsgs.>"
RETAINED_MAX_BYTES: Final = 20 * 1024
"""Largest message that is retained: a twin (`DESIRED_MAX_BYTES`) with the headers of NATS."""
RETAINED_COUNT: Final = 1_000_000
"""State and twin for each device of five full embedded brokers; the server indexes them."""
RETAINED_BYTES: Final = 1024 * 1024 * 1024
"""An eighth of the embedded broker's store; half a million states and small twins take half."""

OnState = Callable[[str, bytes, datetime], Awaitable[None]]
"""(NATS subject, payload, when the broker stored it). Raise MalformedError for what can never be
handled; any other error means: again, later."""


class StateStream:
    """Hands the state messages over."""

    def __init__(self, client: Client, *, replicas: int, clock: Clock) -> None:
        """Take the connection of the platform's user."""
        self._client = client
        self._replicas = replicas
        self._clock = clock
        self._queues: dict[str, asyncio.Queue[Msg]] = {}
        self.handled = 0
        self.poisonous = 0
        """Counters, for metrics."""

    async def prepare(self) -> None:
        """Make streams and consumer, or bring them to today's configuration; needed once."""
        await self._keep(self._retained())
        stream = StreamConfig(
            name=STREAM,
            subjects=list(spoken_to_platform()),
            retention=RetentionPolicy.WORK_QUEUE,
            max_msgs_per_subject=PER_DEVICE,
            max_msg_size=SPOKEN_MAX_BYTES,
            discard=DiscardPolicy.OLD,
            max_age=KEPT.total_seconds(),
            storage=StorageType.FILE,
            num_replicas=self._replicas,
        )
        consumer = ConsumerConfig(
            durable_name=CONSUMER,
            deliver_subject=_DELIVERY,
            deliver_group=CONSUMER,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT.total_seconds(),
            max_ack_pending=AT_ONCE,
            num_replicas=self._replicas,
        )
        await self._keep(stream)
        await self._client.jetstream().add_consumer(STREAM, consumer)

    def _retained(self) -> StreamConfig:
        return StreamConfig(
            name=RETAINED,
            subjects=[_RETAINED_SUBJECTS],
            retention=RetentionPolicy.LIMITS,
            max_msgs_per_subject=1,
            max_msgs=RETAINED_COUNT,
            max_bytes=RETAINED_BYTES,
            max_msg_size=RETAINED_MAX_BYTES,
            # Not the oldest: one device could then push out what all others said.
            discard=DiscardPolicy.NEW,
            storage=StorageType.FILE,
            num_replicas=self._replicas,
        )

    async def _keep(self, stream: StreamConfig) -> None:
        jetstream = self._client.jetstream()
        try:
            await jetstream.update_stream(stream)
        except NotFoundError:
            await jetstream.add_stream(stream)

    async def serve(self, handle: OnState) -> None:
        """Hand messages over until cancelled."""
        async with asyncio.TaskGroup() as group:

            async def take(message: Msg) -> None:
                queue = self._queues.get(message.subject)
                if queue is None:
                    queue = self._queues[message.subject] = asyncio.Queue(AT_ONCE)
                    group.create_task(self._drain(message.subject, queue, handle))
                queue.put_nowait(message)

            subscription = await self._client.subscribe(_DELIVERY, queue=CONSUMER, cb=take)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                await subscription.unsubscribe()

    async def _drain(self, subject: str, queue: asyncio.Queue[Msg], handle: OnState) -> None:
        """Handle one device's messages in order, as long as there are any."""
        while not queue.empty():
            await self._hand_over(queue.get_nowait(), handle)
        del self._queues[subject]

    async def _hand_over(self, message: Msg, handle: OnState) -> None:
        pause = RETRY_FIRST
        while True:
            try:
                await handle(message.subject, message.data, message.metadata.timestamp)
            except MalformedError as error:
                self.poisonous += 1
                log.warning("broker: state message of %s thrown away: %s", message.subject, error)
                await _settle(message.term)
                return
            except Exception:
                log.exception("broker: state message of %s waits", message.subject)
                await _settle(message.in_progress)
                await self._clock.sleep(pause)
                pause = min(pause * 2, RETRY_LONGEST)
            else:
                self.handled += 1
                await _settle(message.ack)
                return


async def _settle(verdict: Callable[[], Awaitable[None]]) -> None:
    """Tell the broker; when it is away the message comes again, which does no harm."""
    try:
        await verdict()
    except (NatsError, OSError) as error:
        log.warning("broker: acknowledgement lost: %s", error)
