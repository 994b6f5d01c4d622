# SPDX-License-Identifier: Apache-2.0
"""Serves programs on the device. Who may come in is decided by the socket's owner and group.

Bounds: programs at once, subscriptions each, bytes of a line, lines that wait for a slow reader
(then the oldest is dropped, and the program is told how many were).
"""

import asyncio
import contextlib
import grp
import logging
import os
import socket
import struct
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from homeport.agent.local.messages import (
    LINE_MAX,
    OK,
    Publication,
    Reply,
    Request,
    encode,
    fault_of,
    matches,
    message_of,
    read_request,
    shown,
)
from homeport.agent.memory.diary import Status
from homeport.agent.memory.twin import Twin
from homeport.errors import Code, HomeportError, MalformedError

logger = logging.getLogger(__name__)

PROGRAMS_MAX: Final = 32
"""At once; each costs a task and its queue."""
SUBSCRIPTIONS_MAX: Final = 64
"""For one program."""
WAITING_MAX: Final = 100
"""Messages that wait for one slow program."""
_UCRED: Final = struct.Struct("3i")  # struct ucred of socket(7): pid, uid, gid


class Service(Protocol):
    """What programs may ask of the agent."""

    async def publish(self, channel: str, payload: bytes) -> None:
        """Send a message; return when the broker has it. Raise MalformedError for the channel."""
        ...

    def status(self) -> Status:
        """Say what is happening."""
        ...

    def reset(self) -> None:
        """Begin to forget the owner."""
        ...

    def twin(self) -> Twin:
        """Return what the device was told and what its programs reported."""
        ...

    def report(self, patch: dict[str, Any], applied: int | None) -> None:
        """Keep what a program says of the device. Raise MalformedError for what cannot be kept."""
        ...


class Door:
    """The socket, and the programs that came in."""

    def __init__(self, path: Path, group: str, service: Service) -> None:
        """Take the socket's path, the group that may use it (empty: the agent's own)."""
        self._path = path
        self._group = group
        self._service = service
        self._programs: set[_Program] = set()

    async def serve(self) -> None:
        """Serve until cancelled. Raise SETTING_WRONG if the socket cannot be made."""
        with _listening(self._path, self._group) as listening:
            async with asyncio.TaskGroup() as group:

                def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                    group.create_task(self._converse(reader, writer), name="local program")

                server = await asyncio.start_unix_server(accept, sock=listening, limit=LINE_MAX)
                async with server:
                    await server.serve_forever()

    def deliver(self, channel: str, payload: bytes) -> None:
        """Hand a message from the upstream to the programs that want it."""
        takers = [each for each in self._programs if each.wants(channel)]
        if not takers:
            logger.info("nobody here wants messages of channel %s", channel)
            return
        reply = Reply(message=message_of(channel, payload))
        for program in takers:
            program.put(reply)

    def show(self, twin: Twin) -> None:
        """Show the twin to the programs that watch it."""
        reply = shown(twin)
        for program in self._programs:
            if program.is_watching:
                program.put(reply)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        program = _Program(writer)
        try:
            if len(self._programs) >= PROGRAMS_MAX:
                error = HomeportError(Code.TOO_MANY_REQUESTS, f"{PROGRAMS_MAX} programs are here")
                writer.write(encode(fault_of(error)))
                await writer.drain()
                return
            self._programs.add(program)
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(program.send_messages(), name="messages to a program")
                await self._answer_all(program, reader)
                sending.cancel()
        except* (ConnectionError, TimeoutError):
            logger.debug("a program went away")
        finally:
            self._programs.discard(program)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer_all(self, program: "_Program", reader: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await reader.readline()
            except ValueError:  # longer than LINE_MAX: where the next one begins is unknown
                error = MalformedError(f"a line of more than {LINE_MAX} bytes", Code.TOO_LARGE)
                await program.reply(fault_of(error))
                return
            if not line:
                return
            try:
                reply = await self._answer(program, read_request(line))
            except HomeportError as error:
                reply = fault_of(error)
            await program.reply(reply)

    async def _answer(self, program: "_Program", request: Request) -> Reply:
        if request.publish is not None:
            await self._publish(request.publish)
        elif request.subscribe is not None:
            program.subscribe(request.subscribe)
        elif request.reset is not None:
            program.require_owner()
            self._service.reset()
        elif request.report is not None:
            self._service.report(request.report.patch, request.report.applied)
        elif request.status is not None:
            return Reply(status=self._service.status())
        else:
            program.is_watching = program.is_watching or request.watch is not None
            return shown(self._service.twin())
        return OK

    async def _publish(self, publication: Publication) -> None:
        payload = publication.octets()
        try:
            async with asyncio.timeout(publication.wait):
                await self._service.publish(publication.channel, payload)
        except TimeoutError:
            detail = f"no acknowledgement within {publication.wait:g} s"
            raise HomeportError(Code.UPSTREAM_UNREACHABLE, detail) from None


class _Program:
    """One connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._subscriptions: set[str] = set()
        self._waiting: deque[Reply] = deque()
        self.is_watching = False
        """Whether it wants to know what is set."""
        self._lost = 0
        self._has_news = asyncio.Event()
        self._turn = asyncio.Lock()

    def wants(self, channel: str) -> bool:
        return any(matches(pattern, channel) for pattern in self._subscriptions)

    def subscribe(self, pattern: str) -> None:
        if len(self._subscriptions) >= SUBSCRIPTIONS_MAX:
            detail = f"{SUBSCRIPTIONS_MAX} subscriptions are allowed"
            raise HomeportError(Code.TOO_MANY_REQUESTS, detail)
        self._subscriptions.add(pattern)

    def put(self, reply: Reply) -> None:
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(reply)
        self._has_news.set()

    async def send_messages(self) -> None:
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            while self._waiting or self._lost:
                lost, self._lost = self._lost, 0
                await self.reply(Reply(lost=lost) if lost else self._waiting.popleft())

    async def reply(self, reply: Reply) -> None:
        async with self._turn:
            self._writer.write(encode(reply))
            await self._writer.drain()

    def require_owner(self) -> None:
        """Refuse whoever is neither root nor the agent's own user (SO_PEERCRED, unix(7))."""
        sock = self._writer.get_extra_info("socket")
        credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        _, user, _ = _UCRED.unpack(credentials)
        if user not in {0, os.getuid()}:
            detail = "only root and the agent's own user may reset"
            raise HomeportError(Code.CALLER_REFUSED, detail)


@contextlib.contextmanager
def _listening(path: Path, group: str) -> Iterator[socket.socket]:
    """Make the socket, for owner and group only; remove it at the end.

    A socket that is there already is a dead agent's: this one holds the lock of the state.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            mask = os.umask(0o177)
            try:
                listening.bind(str(path))
            finally:
                os.umask(mask)
            if group:
                os.chown(path, -1, grp.getgrnam(group).gr_gid)
            path.chmod(0o660)
        except (OSError, KeyError) as error:
            raise HomeportError(Code.SETTING_WRONG, f"socket {path}: {error}") from None
        try:
            yield listening
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)
