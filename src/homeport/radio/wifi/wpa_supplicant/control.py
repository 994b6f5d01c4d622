# SPDX-License-Identifier: Apache-2.0
"""wpa_supplicant's control socket: commands, replies, events. One connection for one errand.

Our ends have abstract addresses, so that nothing is left in the file system and a private /tmp
does not keep the replies out. They connect before they have an address: a datagram of anybody
else than wpa_supplicant never gets in.
"""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from homeport.errors import Code, HomeportError

REPLY_SECONDS: Final = 10.0
"""For one reply; wpa_supplicant answers from memory, but is busy while a driver is slow."""
REPLY_MAX: Final = 65_536
"""Octets; wpa_supplicant's own limit is lower."""

_REFUSALS: Final = frozenset({"FAIL", "UNKNOWN COMMAND", ""})
_PRIORITY: Final = re.compile(r"<\d+>")


class Control:
    """An open connection."""

    def __init__(self, name: str, commands: socket.socket, events: socket.socket) -> None:
        """Take the interface's name and two connected sockets."""
        self.name = name
        self._commands = commands
        self._events = events

    async def ask(self, command: str) -> str:
        """Give a command and return the reply; raise WIFI_UNAVAILABLE if there is none."""
        return await self._ask(self._commands, command)

    async def must(self, command: str) -> str:
        """Give a command that is not to fail; raise WIFI_UNAVAILABLE if it does.

        Only the command's first words are told: the last may be a secret.
        """
        reply = await self.ask(command)
        if reply in _REFUSALS:
            words = " ".join(command.split(" ", 3)[:3])
            raise unavailable(self.name, f"wpa_supplicant refuses {words}")
        return reply

    async def event(self) -> str:
        """Return the next event, without its priority; the caller sets the time limit."""
        text = await self._receive(self._events)
        return _PRIORITY.sub("", text, count=1)

    def pass_over(self) -> None:
        """Forget the events that have come until now."""
        with suppress(OSError):  # BlockingIOError: there are no more
            while True:
                self._events.recv(REPLY_MAX)

    async def attach(self) -> None:
        """Ask for events."""
        reply = await self._ask(self._events, "ATTACH")
        if reply != "OK":
            raise unavailable(self.name, "wpa_supplicant gives no events")

    def detach(self) -> None:
        """Ask for no more, if anybody still listens."""
        with suppress(OSError):
            self._events.send(b"DETACH")

    async def _ask(self, on: socket.socket, command: str) -> str:
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                await asyncio.get_running_loop().sock_sendall(on, command.encode())
                return (await self._receive(on)).rstrip("\n")
        except TimeoutError:
            raise unavailable(self.name, "wpa_supplicant does not answer") from None
        except OSError as error:
            raise unavailable(self.name, f"wpa_supplicant is gone: {error.strerror}") from None

    async def _receive(self, on: socket.socket) -> str:
        octets = await asyncio.get_running_loop().sock_recv(on, REPLY_MAX)
        # What others choose (names of networks) comes escaped; all the rest is ASCII.
        return octets.decode("ascii", "backslashreplace")


@asynccontextmanager
async def connected(path: Path) -> AsyncGenerator[Control]:
    """Connect to the socket of an interface, and get its events; raise WIFI_UNAVAILABLE."""
    with _socket(path) as commands, _socket(path) as events:
        control = Control(path.name, commands, events)
        await control.attach()
        try:
            yield control
        finally:
            control.detach()


def unavailable(name: str, why: str) -> HomeportError:
    """Say why the radio cannot be used."""
    return HomeportError(Code.WIFI_UNAVAILABLE, f"{name}: {why}")


def _socket(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        made.connect(str(path))
        made.bind("")  # the kernel chooses an abstract address
    except OSError as error:
        made.close()
        raise unavailable(path.name, f"{path}: {error.strerror}") from None
    return made
