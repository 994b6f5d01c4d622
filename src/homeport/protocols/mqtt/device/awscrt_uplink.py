# SPDX-License-Identifier: Apache-2.0
"""The uplink on `awscrt`: keys in files and in PKCS#11 tokens, WebSocket, HTTP proxy.

`awscrt` works in threads of its own; its callbacks only post to the event loop. It would reconnect
by itself: the pause before that is set beyond any connection's life, and the first loss closes it.
"""

import asyncio
from concurrent.futures import Future
from functools import cache
from typing import Any, Final

from awscrt import http, io, mqtt
from awscrt.exceptions import AwsCrtError

from homeport.clock import Clock
from homeport.errors import Code, HomeportError
from homeport.keys import parse_key_uri, pkcs11_parts
from homeport.keys.uri import Pkcs11Uri
from homeport.protocols.mqtt.device.credentials import file_key_pem, password
from homeport.protocols.mqtt.device.inbox import Inbox
from homeport.protocols.mqtt.device.probe import check_platform
from homeport.protocols.mqtt.device.tunnel import Tunnel
from homeport.protocols.mqtt.device.uplink import (
    ACKNOWLEDGE_SECONDS,
    CONNECT_SECONDS,
    DISCONNECT_SECONDS,
    KEEP_ALIVE_SECONDS,
    PING_SECONDS,
    Handler,
    UplinkSettings,
)

_NEVER_SECONDS: Final = 10 * 365 * 86400
"""Pause before a reconnection that we do not want."""
_QOS: Final = mqtt.QoS.AT_LEAST_ONCE
DOUBT_SECONDS: Final = 4.0
"""A good connection through a bad link is there by then; else see whether the platform is true."""
_TLS_FAILURES: Final = ("AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE",)
_REFUSALS: Final = ("AWS_ERROR_MQTT_PROTOCOL_ERROR", "AWS_IO_TLS_ERROR_READ_FAILURE")
"""While connecting: CONNACK with a reason for no; a TLS 1.3 alert after our side's handshake."""


class AwscrtUplink:
    """See `Uplink`."""

    def __init__(self, settings: UplinkSettings, clock: Clock) -> None:
        """Take where to and as whom; nothing is opened yet."""
        self._settings = settings
        self._clock = clock
        self._inbox = Inbox()
        self._tunnel: Tunnel | None = None
        self._connection: mqtt.Connection | None = None
        self._loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[Any] = self._loop.create_future()

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
        future, _ = self._open_connection().publish(topic, payload, _QOS, retain)
        await self._acknowledged(future, topic)

    async def subscribe(self, pattern: str, handler: Handler, *, qos: int = 1) -> None:
        """Hear what matches."""
        future, _ = self._open_connection().subscribe(pattern, mqtt.QoS(qos))
        await self._acknowledged(future, pattern)
        self._inbox.add(pattern, handler)

    async def lost(self) -> str:
        """Wait for the loss."""
        reason: str = await asyncio.shield(self._lost)
        return reason

    async def disconnect(self) -> None:
        """Say good-bye and close."""
        connection, self._connection = self._connection, None
        if connection is not None:
            closed = asyncio.gather(
                asyncio.wrap_future(connection.disconnect()), return_exceptions=True
            )
            await asyncio.wait({closed}, timeout=DISCONNECT_SECONDS)
        if self._tunnel:
            await self._tunnel.close()

    async def _connect(self) -> None:
        settings = self._settings
        if settings.proxy or settings.host != settings.server_name:
            self._tunnel = await Tunnel(
                settings.host, settings.port, settings.proxy, by_connect=True
            ).open()
        # Reading a key file and logging in to a token block.
        self._connection = connection = await asyncio.to_thread(self._build)
        opened: asyncio.Future[Any] = asyncio.wrap_future(connection.connect())
        await asyncio.wait({opened}, timeout=DOUBT_SECONDS)
        if not opened.done():
            # s2n answers a false certificate by silence of up to 30 s (CVE-2013-0169 blinding).
            await check_platform(self._settings)
        await self._opened(opened)

    async def _opened(self, opened: "asyncio.Future[Any]") -> None:
        try:
            await opened
        except AwsCrtError as error:
            if self._tunnel and self._tunnel.error:
                raise self._tunnel.error from error
            if error.name in _TLS_FAILURES:
                await check_platform(self._settings)
            if error.name in (*_TLS_FAILURES, *_REFUSALS):
                raise HomeportError(Code.UPSTREAM_REFUSED, error.name) from error
            raise HomeportError(Code.UPSTREAM_UNREACHABLE, error.name) from error

    def _build(self) -> mqtt.Connection:
        settings, will = self._settings, self._settings.will
        websocket = settings.websocket_path is not None
        connection = mqtt.Connection(
            client=mqtt.Client(tls_ctx=io.ClientTlsContext(_tls_options(settings))),
            host_name=settings.server_name,
            port=settings.port,
            client_id=settings.client_id,
            clean_session=False,
            will=mqtt.Will(will.topic, _QOS, will.payload, retain=True),
            keep_alive_secs=KEEP_ALIVE_SECONDS,
            ping_timeout_ms=PING_SECONDS * 1000,
            protocol_operation_timeout_ms=int(ACKNOWLEDGE_SECONDS * 1000),
            reconnect_min_timeout_secs=_NEVER_SECONDS,
            reconnect_max_timeout_secs=_NEVER_SECONDS,
            on_connection_interrupted=self._on_interrupted,
            proxy_options=self._proxy_options(),
            use_websockets=websocket,
            websocket_handshake_transform=self._set_path if websocket else None,
            username=settings.client_id if websocket else None,
            password=password(settings, self._clock) if websocket else None,
            disable_metrics=True,
        )
        connection.on_message(self._on_message)
        return connection

    def _proxy_options(self) -> http.HttpProxyOptions | None:
        if not self._tunnel:
            return None
        return http.HttpProxyOptions(
            host_name="127.0.0.1",
            port=self._tunnel.port,
            connection_type=http.HttpProxyConnectionType.Tunneling,
        )

    def _set_path(self, transform_args: Any, **_: object) -> None:
        transform_args.http_request.path = self._settings.websocket_path
        transform_args.set_done()

    def _on_message(self, topic: str, payload: bytes, **_: object) -> None:
        self._loop.call_soon_threadsafe(self._inbox.put, topic, payload)

    def _on_interrupted(self, connection: mqtt.Connection, error: Exception, **_: object) -> None:
        connection.disconnect()
        self._loop.call_soon_threadsafe(self._lose, str(error))

    def _lose(self, reason: str) -> None:
        self._connection = None
        if not self._lost.done():
            self._lost.set_result(reason)

    def _open_connection(self) -> mqtt.Connection:
        if self._connection is None:
            raise HomeportError(Code.UPSTREAM_UNREACHABLE, "not connected")
        return self._connection

    async def _acknowledged(self, future: "Future[Any]", what: str) -> None:
        answer: asyncio.Future[Any] = asyncio.wrap_future(future)
        lost = self._lost
        await asyncio.wait(
            {answer, lost}, timeout=ACKNOWLEDGE_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        if not answer.done():
            answer.cancel()
            reason = lost.result() if lost.done() else "no answer in time"
            raise HomeportError(Code.UPSTREAM_UNREACHABLE, f"{what}: {reason}")
        try:
            answer.result()
        except mqtt.SubscribeError as error:
            raise HomeportError(Code.UPSTREAM_REFUSED, f"subscription to {what}") from error
        except AwsCrtError as error:
            raise HomeportError(Code.UPSTREAM_UNREACHABLE, f"{what}: {error.name}") from error


def _tls_options(settings: UplinkSettings) -> io.TlsContextOptions:
    if isinstance(parse_key_uri(settings.key_uri), Pkcs11Uri):
        options = _token_options(settings)
    else:
        key = file_key_pem(settings.key_uri)
        options = io.TlsContextOptions.create_client_with_mtls(settings.certificate, key)
    options.override_default_trust_store(settings.anchors)
    return options


def _token_options(settings: UplinkSettings) -> io.TlsContextOptions:
    parts = pkcs11_parts(settings.key_uri)
    return io.TlsContextOptions.create_client_with_mtls_pkcs11(
        pkcs11_lib=_library(str(parts.module_path)),
        user_pin=parts.pin.reveal() if parts.pin else None,
        token_label=parts.token_label,
        private_key_label=parts.object_label,
        cert_file_contents=settings.certificate,
    )


@cache
def _library(path: str) -> io.Pkcs11Lib:
    # Once a process; already initialised by our own `keys` is no error, and it is never finalised.
    return io.Pkcs11Lib(file=path)
