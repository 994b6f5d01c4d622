# SPDX-License-Identifier: Apache-2.0
"""The uplink on paho-mqtt, where there is no `awscrt` (armv7): keys in files only, pure Python.

paho works in a thread of its own; its callbacks only post to the event loop.
"""

import asyncio
import contextlib
import ssl
import tempfile
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from homeport.clock import Clock
from homeport.errors import Code, HomeportError
from homeport.protocols.mqtt.device.credentials import NamedContext, file_key_pem, password
from homeport.protocols.mqtt.device.inbox import Inbox
from homeport.protocols.mqtt.device.tunnel import Tunnel
from homeport.protocols.mqtt.device.uplink import (
    ACKNOWLEDGE_SECONDS,
    CONNECT_SECONDS,
    DISCONNECT_SECONDS,
    KEEP_ALIVE_SECONDS,
    Handler,
    UplinkSettings,
)

_QOS: Final = 1


class PahoUplink:
    """See `Uplink`."""

    def __init__(self, settings: UplinkSettings, clock: Clock) -> None:
        """Take where to and as whom; nothing is opened yet."""
        self._settings = settings
        self._clock = clock
        self._inbox = Inbox()
        self._tunnel: Tunnel | None = None
        self._client: paho.Client | None = None
        self._context: NamedContext | None = None
        self._loop = asyncio.get_running_loop()
        self._connected: asyncio.Future[Any] = self._loop.create_future()
        self._lost: asyncio.Future[Any] = self._loop.create_future()
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def connect(self) -> None:
        """Open it."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._connect()
        except TimeoutError as error:
            await self.disconnect()
            raise HomeportError(Code.UPSTREAM_UNREACHABLE, "no answer in time") from error
        except BaseException:
            await self.disconnect()
            raise

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send; return at PUBACK."""
        sent = self._open_client().publish(topic, payload, _QOS, retain)
        await self._acknowledged(sent.mid, topic)

    async def subscribe(self, pattern: str, handler: Handler, *, qos: int = 1) -> None:
        """Hear what matches."""
        _, number = self._open_client().subscribe(pattern, qos)
        if not await self._acknowledged(number or 0, pattern):
            raise HomeportError(Code.UPSTREAM_REFUSED, f"subscription to {pattern}")
        self._inbox.add(pattern, handler)

    async def lost(self) -> str:
        """Wait for the loss."""
        reason: str = await asyncio.shield(self._lost)
        return reason

    async def disconnect(self) -> None:
        """Say good-bye and close."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DISCONNECT_SECONDS):
                    await asyncio.to_thread(client.loop_stop)
            # Closes the pair of sockets that wakes its loop; otherwise only its finalizer does.
            client.reinitialise()
        if self._context and self._context.wrapped:
            self._context.wrapped.close()
        if self._tunnel:
            await self._tunnel.close()

    async def _connect(self) -> None:
        settings = self._settings
        host, port = settings.host, settings.port
        if settings.proxy:
            self._tunnel = await Tunnel(host, port, settings.proxy, by_connect=False).open()
            host, port = "127.0.0.1", self._tunnel.port
        self._client = client = await asyncio.to_thread(self._build)
        try:
            await asyncio.to_thread(client.connect, host, port, KEEP_ALIVE_SECONDS)
        except ssl.SSLCertVerificationError as error:
            raise HomeportError(Code.PLATFORM_UNPROVEN, error.verify_message) from error
        except (OSError, ValueError, paho.WebsocketConnectionError) as error:
            raise self._tunnel_error() or HomeportError(
                Code.UPSTREAM_UNREACHABLE, f"{host}:{port}: {error}"
            ) from error
        client.loop_start()
        await asyncio.wait({self._connected, self._lost}, return_when=asyncio.FIRST_COMPLETED)
        if not self._connected.done():
            # TLS held, then it hung up: in TLS 1.3 that is how our certificate is refused.
            raise HomeportError(Code.UPSTREAM_REFUSED, f"log-in: {self._lost.result()}")
        if self._connected.result().is_failure:
            raise HomeportError(Code.UPSTREAM_REFUSED, str(self._connected.result()))

    def _build(self) -> paho.Client:
        settings, will = self._settings, self._settings.will
        websocket = settings.websocket_path is not None
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=False,
            transport="websockets" if websocket else "tcp",
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_SECONDS
        self._context = _tls_context(settings)
        client.tls_set_context(self._context)
        client.will_set(will.topic, will.payload, _QOS, retain=True)
        if settings.websocket_path is not None:
            host = f"{settings.server_name}:{settings.port}"
            client.ws_set_options(settings.websocket_path, {"Host": host})
            client.username_pw_set(settings.client_id, password(settings, self._clock))
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        return client

    def _post(self, call: Any, *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(call, *arguments)

    def _on_connect(self, _c: Any, _u: Any, _flags: Any, reason: ReasonCode, _p: Any) -> None:
        self._post(_set, self._connected, reason)

    def _on_disconnect(self, _c: Any, _u: Any, *details: Any) -> None:
        self._post(_set, self._lost, str(details[1]))

    def _on_message(self, _c: Any, _u: Any, message: paho.MQTTMessage) -> None:
        self._post(self._inbox.put, message.topic, message.payload)

    def _on_publish(self, _c: Any, _u: Any, number: int, *_details: Any) -> None:
        self._post(self._settle, number, True)  # noqa: FBT003 - posted

    def _on_subscribe(self, _c: Any, _u: Any, number: int, reasons: Any, _p: Any) -> None:
        self._post(self._settle, number, not any(reason.is_failure for reason in reasons))

    def _settle(self, number: int, good: bool) -> None:  # noqa: FBT001 - posted
        _set(self._waiting.setdefault(number, self._loop.create_future()), good)

    def _open_client(self) -> paho.Client:
        if self._client is None or self._lost.done():
            raise HomeportError(Code.UPSTREAM_UNREACHABLE, "not connected")
        return self._client

    async def _acknowledged(self, number: int, what: str) -> bool:
        # The answer may have been posted before we come here: whoever is first makes the future.
        answer = self._waiting.setdefault(number, self._loop.create_future())
        try:
            await asyncio.wait(
                {answer, self._lost},
                timeout=ACKNOWLEDGE_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            del self._waiting[number]
        if answer.done():
            granted: bool = answer.result()
            return granted
        reason = self._lost.result() if self._lost.done() else "no answer in time"
        raise HomeportError(Code.UPSTREAM_UNREACHABLE, f"{what}: {reason}")

    def _tunnel_error(self) -> HomeportError | None:
        return self._tunnel.error if self._tunnel else None


def _set(future: "asyncio.Future[Any]", value: object) -> None:
    if not future.done():
        future.set_result(value)


def _tls_context(settings: UplinkSettings) -> NamedContext:
    context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name = settings.server_name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=settings.anchors.decode())
    # `ssl` reads keys from files only; this one is ours alone and gone in a moment.
    with tempfile.TemporaryDirectory(prefix="homeport-") as directory:
        path = Path(directory) / "credential.pem"
        path.touch(0o600)
        path.write_bytes(settings.certificate + file_key_pem(settings.key_uri))
        try:
            context.load_cert_chain(path)
        except ssl.SSLError as error:
            raise HomeportError(Code.KEY_UNSUITABLE, f"certificate and key: {error}") from error
    return context
