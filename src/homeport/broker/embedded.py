# SPDX-License-Identifier: Apache-2.0
"""The embedded broker: a nats-server of our own, started, kept running and ended by us.

Rules: one owner for a directory (a lock that the kernel releases when we die); an occupied port is
said by name before anything is started; a broker that dies is started again, after a pause that
grows; devices lose their connections then, and nothing that was acknowledged. One that found the
disk full is started anew when there is room.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import random
import socket
import tempfile
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from homeport.broker import child
from homeport.broker.access import ACCESS_FILE, BrokerAccess
from homeport.broker.child import Child
from homeport.broker.nats_config import PublicKeys, render
from homeport.broker.nkey import SigningKey
from homeport.broker.settings import EmbeddedSettings, Listener
from homeport.clock import Clock, SystemClock
from homeport.errors import Code, HomeportError

log: Final = logging.getLogger(__name__)

CLIENT_PORTS: Final = range(20_000, 32_768)
"""Below Linux's ip_local_port_range, free of well-known servers."""
START_SECONDS: Final = 300.0
"""At the start the message store is read: 0.3 ms for each device's subscription, so a minute for a
full broker, more on a slow disk."""
_FIRST_PAUSE: Final = timedelta(milliseconds=100)
_LONGEST_PAUSE: Final = timedelta(seconds=30)
_PROBE_SECONDS: Final = 0.02
"""Between two looks whether it listens: well below the time that it takes to start."""

COMING_BACK: Final = timedelta(seconds=15)
"""For devices after a start: they rest for 2 s, then 4, then 8. Who is later was offline."""
_LOOK_EVERY: Final = timedelta(seconds=1)
_ROOM: Final = 1024 * 1024
"""Bytes that must fit on the disk before a broker that found it full is started anew."""
_ROOM_PAUSE: Final = timedelta(seconds=1)


class EmbeddedBroker:
    """`async with EmbeddedBroker(settings) as broker:` runs one until the block is left."""

    def __init__(self, settings: EmbeddedSettings, clock: Clock | None = None) -> None:
        """Take the settings; nothing is touched before the block is entered."""
        self._settings = settings
        self._clock = clock or SystemClock()
        self._directory = settings.directory.absolute()
        self._configuration = self._directory / "nats.conf"
        self._pid_file = self._directory / "nats-server.pid"
        self._lock = -1
        self._child: Child | None = None
        self._tasks = asyncio.TaskGroup()
        self._keeper: asyncio.Task[None] | None = None
        self._access: BrokerAccess | None = None
        self._begun = self._clock.now()
        self.restarts = 0
        """How often it had to be started again."""

    @property
    def access(self) -> BrokerAccess:
        """How to reach it: the same until the block is left, whatever happens to the process."""
        if self._access is None:
            raise HomeportError(Code.BROKER_UNAVAILABLE, "not started")
        return self._access

    @property
    def pid(self) -> int | None:
        """Process id of the running nats-server."""
        return self._child.pid if self._child else None

    async def follow_starts(self, handle: Callable[[datetime], Awaitable[None]]) -> None:
        """Give `handle` the time of each start, once devices have had time to come back.

        Until cancelled. What it raises of ours is logged, and it is asked again.
        """
        told = None
        while True:
            begun = self._begun
            if begun != told and self._clock.now() - begun >= COMING_BACK:
                try:
                    await handle(begun)
                    told = begun
                except HomeportError as error:
                    log.warning("after the broker's start: %s", error)
            await self._clock.sleep(_LOOK_EVERY)

    def reload(self) -> None:
        """Use renewed certificate files from now on.

        The broker drops the devices' connections when it reads its files again (it cannot ask the
        callout about them anew); they come back as after any loss.
        """
        if self._child:
            self._child.reload()

    async def __aenter__(self) -> Self:
        """Start it and wait until it listens.

        HomeportError: PORT_OCCUPIED, ALREADY_EXISTS (the directory is in use), SETTING_WRONG or
        BROKER_UNAVAILABLE with the last lines of its log.
        """
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory.chmod(0o700)
        self._lock = _own(self._directory / "lock")
        await self._tasks.__aenter__()
        try:
            await child.end_leftover(self._pid_file, self._configuration)
            self._prepare()
            self._child = await self._start()
        except BaseException:
            await self._close()
            raise
        self._keeper = self._tasks.create_task(self._keep_running(self._child), name="nats-server")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it and free the directory."""
        # The group is told of a cancellation, which may be its own; an error of the block is not
        # the group's, and would come back wrapped.
        await self._close(error if isinstance(error, asyncio.CancelledError) else None)

    async def _close(self, cancelled: asyncio.CancelledError | None = None) -> None:
        try:
            if self._keeper:
                self._keeper.cancel()
            if self._child:
                await self._child.stop()
            (self._directory / ACCESS_FILE).unlink(missing_ok=True)
            kind = type(cancelled) if cancelled else None
            await self._tasks.__aexit__(kind, cancelled, None)
        finally:
            self._child = None
            os.close(self._lock)

    def _prepare(self) -> None:
        for what, place in self._listeners().items():
            _check_free(what, place)
        port = self._settings.client_port or _free_port()
        self._access = BrokerAccess.fresh(port)
        keys = PublicKeys(
            platform=SigningKey(self._access.platform).public,
            system=SigningKey(self._access.system).public,
            issuer=SigningKey(self._access.issuer).public,
        )
        text = render(
            self._settings,
            account=self._access.account,
            client_port=port,
            keys=keys,
            pid_file=self._pid_file,
        )
        self._configuration.write_text(text)
        self._access.write(self._directory / ACCESS_FILE)

    def _listeners(self) -> dict[str, Listener]:
        settings = self._settings
        places = {"MQTT (setting listen.mqtt_port)": settings.mqtt}
        if settings.websocket:
            places["MQTT in a WebSocket (setting listen.websocket_port)"] = settings.websocket
        if settings.client_port:
            places["the platform itself"] = Listener("127.0.0.1", settings.client_port)
        return places

    async def _start(self) -> Child:
        """Start it and wait until it greets on the client port, which it opens last."""
        begun = self._clock.now()
        started = await Child.start(child.find_program(), self._configuration, self._tasks)
        port = int(self.access.urls[0].rpartition(":")[2])
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await _greets(port):
                    if started.has_ended:
                        await started.ended()  # its last words are read now
                        raise _failure(started)
                    await asyncio.sleep(_PROBE_SECONDS)
        except TimeoutError as error:
            await started.stop()
            raise HomeportError(Code.BROKER_UNAVAILABLE, _said(started)) from error
        except BaseException:
            await started.stop()
            raise
        self._begun = begun
        return started

    async def _keep_running(self, current: Child) -> None:
        pause = _FIRST_PAUSE
        while True:
            begun = self._clock.monotonic()
            status = await self._end_of(current)
            log.error("nats-server ended with status %d: %s", status, _said(current))
            if self._clock.monotonic() - begun > _LONGEST_PAUSE.total_seconds():
                pause = _FIRST_PAUSE
            current, pause = await self._start_again(pause)
            self._child = current
            self.restarts += 1

    async def _end_of(self, current: Child) -> int:
        """Wait until it ends, by itself or because it gave up writing; return its status."""
        replacing = self._tasks.create_task(self._replace_useless(current), name="nats-server disk")
        try:
            return await current.ended()
        finally:
            replacing.cancel()

    async def _replace_useless(self, current: Child) -> None:
        """End one that takes no message any more, as soon as the next could."""
        await current.gave_up_writing.wait()
        log.error("nats-server cannot write to %s: %s", self._directory, _said(current))
        while not await asyncio.to_thread(_has_room, self._directory):
            await self._clock.sleep(_ROOM_PAUSE)
        log.warning("there is room again in %s: nats-server is started anew", self._directory)
        await current.stop()

    async def _start_again(self, pause: timedelta) -> tuple[Child, timedelta]:
        while True:
            await self._clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            try:
                return await self._start(), pause
            except HomeportError as error:
                log.error("nats-server cannot be started: %s", error)  # noqa: TRY400 - no bug of ours


def _own(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise HomeportError(
            Code.ALREADY_EXISTS, f"another homeport serve uses {path.parent}"
        ) from error
    return descriptor


def _has_room(directory: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
            file.write(bytes(_ROOM))
            os.fsync(file.fileno())
            return file.tell() == _ROOM
    except OSError:
        return False


def _check_free(what: str, place: Listener) -> None:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((place.host, place.port))
        except PermissionError as error:
            raise HomeportError(
                Code.SETTING_WRONG,
                f"port {place.port} for {what}: ports below 1024 need CAP_NET_BIND_SERVICE",
            ) from error
        except OSError as error:
            raise HomeportError(
                Code.PORT_OCCUPIED,
                f"port {place.port} on {place.host} for {what}: {error.strerror}",
            ) from error


def _free_port() -> int:
    """Pick a free loopback port outside the range that outgoing connections get theirs from.

    While the broker restarts, our reconnecting to a port of that range could be given this very
    port as its own, connect to itself, and keep the broker out.
    """
    for port in random.SystemRandom().sample(CLIENT_PORTS, k=100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise HomeportError(Code.PORT_OCCUPIED, "no free loopback port for the broker")


async def _greets(port: int) -> bool:
    """Whether a NATS server is behind the loopback port (its first word is INFO)."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        return await reader.read(5) == b"INFO "
    except OSError:
        return False
    finally:
        writer.close()


def _failure(ended: Child) -> HomeportError:
    said = _said(ended)
    if "address already in use" in said:
        return HomeportError(Code.PORT_OCCUPIED, said)
    return HomeportError(Code.BROKER_UNAVAILABLE, said)


def _said(ended: Child) -> str:
    return " | ".join(ended.tail[-3:]) or "it said nothing"
