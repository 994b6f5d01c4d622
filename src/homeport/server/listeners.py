# SPDX-License-Identifier: Apache-2.0
"""A door: an address on which the platform answers HTTP/1, with or without TLS.

The web server is granian, embedded; TLS and HTTP are parsed in Rust, outside the interpreter. What
it does not do by itself is done here:
- the socket is bound by us, so an occupied port is explained before anything else begins, and the
  same socket stays open when the certificate changes: connections that arrive meanwhile wait in it;
- HTTP/1 only: with HTTP/2 allowed, connections that say nothing stayed open for over a minute;
- stopping ends idle connections, lets requests finish for a while, and then ends in any case.

A connection that has not sent a whole request head in time is closed here; a *body* that does not
come is not (`homeport.http.limits`).
"""

import asyncio
import errno
import logging
import os
import resource
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from homeport.errors import Code, HomeportError
from homeport.http.asgi import App
from homeport.telemetry import note

_logger: Final = logging.getLogger("homeport.listeners")

HEAD_DEADLINE: Final = timedelta(seconds=5)
"""For TLS and the head of a request, and between two requests on one connection. A slow-header
attack costs its sender a new connection every five seconds."""

HEAD_LIMIT: Final = 32 * 1024
"""Bytes of a request's head; a device sends 300."""

CONNECTIONS_LIMIT: Final = 8192
"""At once; further ones wait in the backlog. Each parked device holds one, at about 20 kB."""

BACKLOG: Final = 1024
"""Connections that wait to be accepted, when a whole site is powered on at once. Linux's usual
net.core.somaxconn is 4096."""

GRACE: Final = timedelta(seconds=10)
"""For requests to finish when stopping. systemd sends SIGKILL after 90 s, Docker after 10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a door is, and how it is called."""

    name: str
    """For logs and errors: "device door"."""
    host: str
    """An address of this machine, "0.0.0.0" or "::" for all of them."""
    port: int
    """0 takes a free one."""
    setting: str
    """What to change if the port is taken: "listen.port"."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Listener:
    """One door. `bind`, then `serve` until told to stop."""

    def __init__(
        self,
        app: App,
        place: Place,
        *,
        tls: Path | None = None,
        grace: timedelta = GRACE,
        ending: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what answers, where, and a PEM file with private key and certificate chain.

        `ending` is called when requests have to come to their end, also those that have none.
        """
        self.place = place
        self._app = app
        self._tls = tls
        self._grace = grace
        self._ending = ending
        self._socket: socket.socket | None = None
        self._server: _Server | None = None

    @property
    def port(self) -> int:
        """The port that it has, once bound."""
        bound = self._bound()
        port: int = bound.getsockname()[1]
        return port

    def bind(self) -> None:
        """Take the port: from now on connections are accepted, and answered once it serves.

        Raise PORT_OCCUPIED, or SETTING_WRONG for an address that cannot be listened on.
        """
        self._socket = _bind(self.place)

    async def serve(self, stop: asyncio.Event) -> None:
        """Answer until `stop` is set, then let requests finish within the grace period.

        Raise INTERNAL_ERROR if the web server ends by itself.
        """
        server = self._server = _Server(self._app, self._bound(), self._tls)
        try:
            async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as tasks:
                stopping = tasks.create_task(self._stop(server, stop, limit))
                await server.serve()
                stopping.cancel()
        except TimeoutError:
            note(_logger, logging.WARNING, "requests cut off at the end", door=self.place.name)
        finally:
            self._server = None
            self.close()
        if not stop.is_set():
            detail = f"the {self.place.name} at {self.place} ended by itself"
            raise HomeportError(Code.INTERNAL_ERROR, detail)

    async def _stop(self, server: "_Server", stop: asyncio.Event, limit: asyncio.Timeout) -> None:
        await stop.wait()
        self._ending()
        limit.reschedule(asyncio.get_running_loop().time() + self._grace.total_seconds())
        server.stop()  # type: ignore[no-untyped-call]

    def reload_tls(self) -> None:
        """Serve the certificate that is in the file now.

        Running requests are finished. A connection on which nothing was asked yet may be closed,
        as HTTP allows (RFC 9112 section 9.5).
        """
        if self._server is not None:
            self._ending()
            self._server.use_certificate(self._tls)
            self._server.reload()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Give the port back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _bound(self) -> socket.socket:
        if self._socket is None:
            raise HomeportError(Code.INTERNAL_ERROR, f"the {self.place.name} is not bound")
        return self._socket


class _Server(Server):
    """granian's embedded server on a socket of ours."""

    _shd: Any

    def __init__(self, app: App, listening: socket.socket, tls: Path | None) -> None:
        super().__init__(
            app,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            backpressure=CONNECTIONS_LIMIT,
            http1_settings=HTTP1Settings(
                header_read_timeout=int(HEAD_DEADLINE / timedelta(milliseconds=1)),
                max_buffer_size=HEAD_LIMIT,
            ),
            # Logging is set up by the program; granian would close everybody's handlers, and tells
            # with each listener that it calls its embedded server experimental.
            log_level=LogLevels.error,
            log_dictconfig={"incremental": True, "handlers": {}, "loggers": {}},
        )
        self._listening = listening
        # The old worker stops as soon as the new one starts; who comes meanwhile waits in the
        # socket.
        self.respawn_interval = 0
        self.use_certificate(tls)

    def use_certificate(self, tls: Path | None) -> None:
        # Devices with an OpenSSL before 1.1.1 speak nothing newer than TLS 1.2.
        self.build_ssl_context(tls, tls, None, SSLProtocols.tls12, None, [], client_verify=False)

    def _init_shared_socket(self) -> None:
        """Bind nothing: the socket is there."""

    def _spawn_worker(self, *args: Any, **kwargs: Any) -> Any:
        # A worker closes its socket when it ends, and two of them overlap at a reload.
        # (`granian` declares neither the constructor nor the attribute's type.)
        socket_of_worker: Any = SocketHolder
        is_unix = False
        self._shd = socket_of_worker(os.dup(self._listening.fileno()), is_unix, BACKLOG)
        return super()._spawn_worker(*args, **kwargs)


def allow_connections(count: int = CONNECTIONS_LIMIT) -> None:
    """Ask the system for as many open files as `count` connections need, within its hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 512  # database, broker, logs, and what libraries open
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _bind(place: Place) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        dual = family == socket.AF_INET6 and place.host == "::" and socket.has_dualstack_ipv6()
        bound = socket.create_server(
            address[:2],
            family=family,
            backlog=BACKLOG,
            dualstack_ipv6=dual,
        )
    except OSError as error:
        raise _explained(place, error) from None
    bound.setblocking(False)  # noqa: FBT003
    # Inherited by every connection: answers are one small segment, which must not wait for an ACK.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _explained(place: Place, error: OSError) -> HomeportError:
    where = f"{place} for the {place.name} (setting {place.setting})"
    if error.errno == errno.EADDRINUSE:
        return HomeportError(Code.PORT_OCCUPIED, where)
    if error.errno in {errno.EACCES, errno.EPERM}:
        detail = f"{where}: ports below 1024 need root or CAP_NET_BIND_SERVICE"
        return HomeportError(Code.SETTING_WRONG, detail)
    return HomeportError(Code.SETTING_WRONG, f"{where}: {error.strerror}")
