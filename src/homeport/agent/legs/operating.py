# SPDX-License-Identifier: Apache-2.0
"""The connection to the upstream: opened with the LDevID, used by programs, watched for its end.

The first message is `online`, retained, which completes the enrolment; the last will says
`offline`. Programs' messages wait for a connection, as long as the program is willing to.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from homeport.agent.memory.records import Credential
from homeport.agent.settings import Transport
from homeport.agent.tools import AGENT, Tools
from homeport.errors import Code, HomeportError, MalformedError
from homeport.pki.certificates import parse_certificate, pem_of
from homeport.protocols.mqtt.device import Proxy, Uplink, UplinkSettings, Will
from homeport.protocols.mqtt.wire import DeviceTopics, Offline, Online, encode
from homeport.protocols.native.wire import Endpoint

logger = logging.getLogger(__name__)

FAREWELL_LIMIT: Final = timedelta(seconds=3)
"""For saying `offline` before a clean end; the last will says it otherwise."""

ATTEMPT_LIMIT: Final = timedelta(seconds=60)
"""For one endpoint, beyond the limits of every step: whatever hangs, the next attempt comes."""

OpenUplink = Callable[[UplinkSettings], Uplink]
Deliver = Callable[[str, bytes], None]
"""(channel, payload)."""
Hear = Callable[[Credential, bytes], None]
"""(the credential of the connection, the message of a command or of settings)."""


@dataclass(frozen=True)
class Link:
    """A connection that is up, and with which credential."""

    uplink: Uplink
    credential: Credential
    endpoint: str
    is_held: bool
    """Whether the device is in quarantine: the broker takes nothing from it but its state."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Operating:
    """Holds the connection."""

    def __init__(self, tools: Tools, open_uplink: OpenUplink) -> None:
        """Take the tools and the way to make connections."""
        self._tools = tools
        self._open_uplink = open_uplink
        self._link: Link | None = None
        self._is_up = asyncio.Event()
        self.deliver: Deliver = lambda channel, _: logger.info("nobody hears %s", channel)
        """Where messages from the upstream go."""
        self.on_command: Hear = lambda _, __: logger.info("nobody obeys")
        """Where commands of the platform go."""
        self.on_desired: Hear = lambda _, __: logger.info("nobody keeps settings")
        """Where what the device is told goes."""

    @property
    def link(self) -> Link | None:
        """The connection, if it is up."""
        return None if self._link is None or self._link.ended.is_set() else self._link

    async def connect(self, credential: Credential) -> None:
        """Connect with the credential, by the first endpoint that works, and say `online`.

        A connection with another credential is ended first. Raise what the last endpoint raised:
        UPSTREAM_REFUSED, UPSTREAM_UNREACHABLE, PLATFORM_UNPROVEN, or what a key store raises.
        """
        await self.close(say_offline=False)
        failure = HomeportError(Code.UPSTREAM_UNREACHABLE, "no endpoint of the wanted transport")
        for endpoint, host in self._ways(credential):
            shown = f"{endpoint.protocol}://{host}:{endpoint.port}{endpoint.path}"
            try:
                self._link = await self._open_in_time(credential, endpoint, host, shown)
            except HomeportError as error:
                self._tools.diary.failed(shown, error)
                failure = error
                if error.code is Code.UPSTREAM_REFUSED:
                    break
            else:
                if not self._link.is_held:
                    self._is_up.set()
                held = self._link.is_held
                self._tools.diary.update(endpoint=shown, trying="", is_held=held)
                logger.info("online at %s as %s", shown, credential.device)
                return
        raise failure

    async def watch(self) -> str:
        """Wait until the connection ends; return why."""
        link = self._link
        if link is None:
            return "not connected"
        reason = await link.uplink.lost()
        link.ended.set()
        self._is_up.clear()
        self._tools.diary.update(endpoint="", is_held=False)
        return reason

    async def publish(self, channel: str, payload: bytes) -> None:
        """Send a program's message; return when the broker has it. The caller limits the time.

        In quarantine it waits, as without a connection: the broker would take it and drop it.
        Raise MalformedError for a channel that is none.
        """
        while True:
            await self._is_up.wait()
            link = self.link
            if link is None:
                self._is_up.clear()
                continue
            topic = DeviceTopics(link.credential.topics).up(channel)
            try:
                await link.uplink.publish(topic, payload)
            except HomeportError as error:
                if error.code is not Code.UPSTREAM_UNREACHABLE:
                    raise
                # The connection broke: the same message goes through the next one.
                await self._tools.clock.sleep(timedelta(seconds=1))
            else:
                return

    async def close(self, *, say_offline: bool = True) -> None:
        """End the connection, if it is up; say `offline` unless another follows at once."""
        link, self._link = self._link, None
        self._is_up.clear()
        if link is None:
            return
        self._tools.diary.update(endpoint="", is_held=False)
        if say_offline and not link.ended.is_set():
            await _say_offline(link.uplink, link.credential)
        await link.uplink.disconnect()

    def _ways(self, credential: Credential) -> Iterator[tuple[Endpoint, str]]:
        """Endpoints of the wanted transport, each with the hosts to dial.

        A broker under the platform's own name is dialled where the platform was reached: the name
        need not be known to this network's DNS, and the certificate is checked against it anyway.
        """
        transport = self._tools.settings.transport
        platform = credential.platform
        for endpoint in credential.endpoints:
            if transport not in {Transport.AUTO, endpoint.protocol}:
                continue
            reached = platform.addresses or (urlsplit(platform.url).hostname or endpoint.host,)
            if endpoint.host.lower() == platform.name:
                yield from ((endpoint, host) for host in dict.fromkeys((*reached, endpoint.host)))
            else:
                yield endpoint, endpoint.host

    async def _open_in_time(
        self, credential: Credential, endpoint: Endpoint, host: str, shown: str
    ) -> Link:
        try:
            async with asyncio.timeout(ATTEMPT_LIMIT.total_seconds()):
                return await self._open(credential, endpoint, host, shown)
        except TimeoutError as error:
            raise HomeportError(
                Code.UPSTREAM_UNREACHABLE, "the attempt did not end in time"
            ) from error

    async def _open(
        self, credential: Credential, endpoint: Endpoint, host: str, shown: str
    ) -> Link:
        uplink = self._open_uplink(self._settings(credential, endpoint, host))
        await uplink.connect()
        try:
            is_held = not await self._begin(uplink, credential)
        except HomeportError:
            await _say_offline(uplink, credential)
            await uplink.disconnect()
            raise
        except BaseException:
            await uplink.disconnect()
            raise
        return Link(uplink, credential, shown, is_held)

    async def _begin(self, uplink: Uplink, credential: Credential) -> bool:
        """Say `online` and what is to be heard, in one round trip; False if in quarantine.

        The broker refuses a subscription alike when it is not permitted and when it could not keep
        it. Those of QoS 0 tell: there is nothing to keep. From `online` on only this credential
        counts; so what is not permitted to it nevertheless is a broken connection, and no reason
        to try an earlier one.
        """
        topics = DeviceTopics(credential.topics)
        try:
            async with asyncio.TaskGroup() as group:
                granted = [
                    group.create_task(_granted(uplink.subscribe(topic, heard, qos=qos)))
                    for topic, heard, qos in (
                        (topics.desired, partial(self._on_desired, credential), 0),
                        (topics.command, partial(self._on_command, credential), 0),
                        (topics.every_down, partial(self._on_message, topics), 1),
                    )
                ]
                group.create_task(uplink.publish(*self._online(credential), retain=True))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        may_hear, obeys, hears = (task.result() for task in granted)
        if not obeys or (may_hear and not hears):
            raise HomeportError(Code.UPSTREAM_UNREACHABLE, "the broker could not subscribe us")
        if not may_hear:
            logger.warning("in quarantine: messages go neither up nor down until it is released")
        return may_hear

    def _settings(self, credential: Credential, endpoint: Endpoint, host: str) -> UplinkSettings:
        proxy = self._tools.platforms.proxy
        secret = proxy.credentials if proxy else None
        return UplinkSettings(
            host=host,
            port=endpoint.port,
            server_name=endpoint.host,
            anchors=_pem(endpoint.anchors or credential.platform.anchors),
            certificate=_pem(credential.certificate),
            key_uri=credential.key,
            client_id=credential.device,
            will=Will(*_offline(credential)),
            websocket_path=endpoint.path if endpoint.protocol == Transport.WEBSOCKET else None,
            proxy=Proxy(proxy.host, proxy.port, secret.reveal() if secret else None)
            if proxy
            else None,
        )

    def _online(self, credential: Credential) -> tuple[str, bytes]:
        said = Online(
            credential=_fingerprint(credential), agent=AGENT, since=self._tools.logbook.now()
        )
        return DeviceTopics(credential.topics).state, encode(said)

    def _on_command(self, credential: Credential, _topic: str, payload: bytes) -> None:
        self.on_command(credential, payload)

    def _on_desired(self, credential: Credential, _topic: str, payload: bytes) -> None:
        self.on_desired(credential, payload)

    def _on_message(self, topics: DeviceTopics, topic: str, payload: bytes) -> None:
        try:
            channel = topics.down_channel(topic)
        except MalformedError as error:
            logger.warning("a message was passed over: %s", error)
        else:
            self.deliver(channel, payload)


async def _granted(subscribing: Awaitable[None]) -> bool:
    """Whether the broker takes the subscription."""
    try:
        await subscribing
    except HomeportError as error:
        if error.code is not Code.UPSTREAM_REFUSED:
            raise
        return False
    return True


async def _say_offline(uplink: Uplink, credential: Credential) -> None:
    """Take `online` back before a polite end, at which no will is spoken."""
    with suppress(HomeportError, TimeoutError):
        async with asyncio.timeout(FAREWELL_LIMIT.total_seconds()):
            await uplink.publish(*_offline(credential), retain=True)


def _offline(credential: Credential) -> tuple[str, bytes]:
    said = Offline(credential=_fingerprint(credential))
    return DeviceTopics(credential.topics).state, encode(said)


def _fingerprint(credential: Credential) -> str:
    return hashlib.sha256(credential.certificate[0]).hexdigest()


def _pem(ders: tuple[bytes, ...]) -> bytes:
    certificates: list[x509.Certificate] = [parse_certificate(der) for der in ders]
    return pem_of(*certificates)
