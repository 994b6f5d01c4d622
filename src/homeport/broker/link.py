# SPDX-License-Identifier: Apache-2.0
"""Our connection to the broker: who may come in, what devices say, what they are told.

Two NATS connections: one user in the devices' account, one in the system account (which alone can
end others' connections). Both reconnect for ever; what is asked meanwhile fails with
BROKER_UNAVAILABLE, and nobody is let in.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncGenerator, Collection
from types import TracebackType
from typing import Final, NamedTuple, Self

import nats
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from homeport.broker import callout, kick, retained
from homeport.broker.access import BrokerAccess
from homeport.broker.callout import Admit, Callout
from homeport.broker.client import Client, heed_cancellation
from homeport.broker.events import EventStream
from homeport.broker.states import OnState, StateStream
from homeport.clock import Clock, SystemClock
from homeport.domain.device import DeviceId
from homeport.domain.topics import ROOT, Branch, Topic
from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import Secret

log: Final = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 5
OPEN_SECONDS: Final = 10
"""For the first connection; a command for people does not wait longer for a broker that is away."""
RECONNECT_SECONDS: Final = 0.25
"""A restarted broker is back within a second; a local one bears the knocking."""
PING_SECONDS: Final = 10
"""Two unanswered ones end a connection that only looks alive."""
QUESTIONS_WAITING: Final = 16_384
"""After a broker's restart all devices ask at once; more than these try again by themselves."""
MESSAGES_WAITING: Final = 4_096
"""For one watcher; a slower one loses messages rather than our memory."""
_DELIVERED: Final = "$MQTT.msgs."
_QOS_HEADER: Final = "Nmqtt-Pub"


class Message(NamedTuple):
    """What a device sent upstream."""

    topic: Topic
    payload: bytes


class BrokerLink:
    """`async with BrokerLink(access) as link:` is connected until the block is left."""

    def __init__(self, access: BrokerAccess, clock: Clock | None = None) -> None:
        """Take what reaches the broker; nothing is sent before the block is entered."""
        self._access = access
        self._clock = clock or SystemClock()
        self._platform = Client()
        self._system = Client()
        self._opened: list[Client] = []
        self._is_closing = False
        self._states: StateStream | None = None
        self._callout: Callout | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the broker answers; part of readiness."""
        return self._platform.is_connected and self._system.is_connected

    def counters(self) -> dict[str, int]:
        """Since the start: admitted, refused, states_handled, states_poisonous."""
        return {
            "admitted": self._callout.admitted if self._callout else 0,
            "refused": self._callout.refused if self._callout else 0,
            "states_handled": self._states.handled if self._states else 0,
            "states_poisonous": self._states.poisonous if self._states else 0,
        }

    async def __aenter__(self) -> Self:
        """Connect; HomeportError(BROKER_UNAVAILABLE) if nobody answers or lets us in."""
        try:
            await self._open(self._platform, self._access.platform, "platform")
            await self._open(self._system, self._access.system, "system")
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close both connections."""
        await self._close()

    async def serve_callout(self, admit: Admit, websocket_urls: Collection[str] = ()) -> None:
        """Answer who may come in, until cancelled. Without this nobody gets in.

        `websocket_urls` are what a device's log-in through a WebSocket may name: `wss://<host><path>`
        of every public WebSocket endpoint, without port.
        """
        self._callout = Callout(self._access, admit, websocket_urls, self._clock)
        answers = self._callout
        async with asyncio.TaskGroup() as group:

            async def ask(message: Msg) -> None:
                group.create_task(answers.answer(message), name="auth callout")

            subscription = await self._platform.subscribe(
                callout.SUBJECT,
                queue=callout.QUEUE,
                cb=ask,
                pending_msgs_limit=QUESTIONS_WAITING,
            )
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                with contextlib.suppress(NatsError):
                    await subscription.unsubscribe()

    async def serve_states(self, handle: OnState) -> None:
        """Hand every state message over at least once, until cancelled. See `states.py`."""
        states = StateStream(self._platform, replicas=self._access.replicas, clock=self._clock)
        try:
            await states.prepare()
        except (NatsError, OSError) as error:
            raise HomeportError(Code.BROKER_UNAVAILABLE, f"stream of states: {error}") from error
        self._states = states
        await states.serve(handle)

    def events(self) -> EventStream:
        """Return the stream in which programs find what happened."""
        return EventStream(self._platform, replicas=self._access.replicas)

    async def disconnect(self, device: DeviceId) -> int:
        """End the device's connections on every broker node; return how many there were.

        Record the revocation first, so that it is kept out. The first look is done in
        milliseconds; later ones catch a log-in that was under way. Takes some seconds in all.
        """
        return await kick.disconnect(self._system, device, self._clock)

    async def send(self, topic: Topic, payload: bytes) -> None:
        """Tell a device something, at least once; it is stored for a device that is away.

        `topic` is below `down`. A message that a NATS user publishes reaches MQTT subscribers at
        QoS 0 only, so it is put where the broker puts messages of MQTT publishers.
        """
        if topic.branch is not Branch.DOWN:
            raise MalformedError(f"{topic}: upstreams speak below `down`")
        try:
            await self._platform.jetstream().publish(
                _DELIVERED + topic.subject, payload, headers={_QOS_HEADER: "1"}
            )
        except (NatsError, OSError) as error:
            raise HomeportError(Code.BROKER_UNAVAILABLE, f"{topic}: {error}") from error

    async def keep(self, topic: Topic, payload: bytes) -> None:
        """Retain a message of ours: a device gets it when it subscribes. See `retained.py`."""
        await retained.keep(self._platform, topic, payload)

    async def tell(self, topic: Topic, payload: bytes) -> None:
        """Send a message of ours to a device that subscribes now."""
        await retained.tell(self._platform, topic, payload)

    async def forget(self, topic: Topic) -> None:
        """Retain nothing there any more."""
        await retained.forget(self._platform, topic)

    async def watch(self, tenant: str | None = None) -> AsyncGenerator[Message]:
        """Yield what devices (of one tenant) send upstream from now on; messages may be lost."""
        pattern = f"{ROOT}.{tenant or '*'}.*.{Branch.UP}.>"
        subscription = await self._platform.subscribe(pattern, pending_msgs_limit=MESSAGES_WAITING)
        try:
            async for message in subscription.messages:
                with contextlib.suppress(MalformedError):
                    yield Message(Topic.parse_subject(message.subject), message.data)
        finally:
            with contextlib.suppress(NatsError):
                await subscription.unsubscribe()

    async def _open(self, client: Client, seed: Secret, name: str) -> None:
        # nats-py would try for ever at first too, and comes back unconnected when it is refused.
        self._opened.append(client)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._connect(client, seed, name)
                heed_cancellation()
        except (NatsError, OSError, TimeoutError) as error:
            said = str(client.last_error or error) or "no answer in time"
            raise HomeportError(Code.BROKER_UNAVAILABLE, f"{name}: {said}") from error
        if not client.is_connected:
            raise HomeportError(Code.BROKER_UNAVAILABLE, f"{name}: the broker does not know us")

    async def _connect(self, client: Client, seed: Secret, name: str) -> None:
        tls = None
        if any(url.startswith("tls:") for url in self._access.urls):
            tls = ssl.create_default_context(cafile=self._access.anchors)
        await client.connect(
            servers=list(self._access.urls),
            nkeys_seed_str=seed.reveal(),
            name=f"homeport {name}",
            connect_timeout=CONNECT_SECONDS,
            reconnect_time_wait=RECONNECT_SECONDS,  # type: ignore[arg-type] # it sleeps
            max_reconnect_attempts=-1,
            ping_interval=PING_SECONDS,
            error_cb=_log_error,
            disconnected_cb=self._log_lost,
            reconnected_cb=_log_back,
            tls=tls,
        )

    async def _log_lost(self) -> None:
        if not self._is_closing:
            log.warning("broker: connection lost")

    async def _close(self) -> None:
        self._is_closing = True
        for client in reversed(self._opened):
            with contextlib.suppress(NatsError, OSError):
                await client.close()
                # nats-py 2.16 forgets the socket of an attempt that was cut off.
                if client._transport is not None:  # noqa: SLF001
                    client._transport.close()  # type: ignore[no-untyped-call] # noqa: SLF001


async def _log_error(error: Exception) -> None:
    if not isinstance(error, nats.errors.UnexpectedEOF | ConnectionError):
        log.warning("broker: %s", str(error) or type(error).__name__)


async def _log_back() -> None:
    log.info("broker: connected again")
