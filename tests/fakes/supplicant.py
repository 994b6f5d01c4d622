# SPDX-License-Identifier: Apache-2.0
"""Debian's wpa_supplicant and hostapd without a radio, spoken to through their control sockets.

`-D none` needs no Wi-Fi hardware; DPP runs over TCP on loopback. Root, or CAP_NET_RAW, is needed.
"""

import itertools
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from homeport.demo.stage import free_ports

WAIT_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 0.01
REPLY_BYTES: Final = 65_536
_numbers = itertools.count(1)


def require(program: str) -> str:
    """Return the program's path; skip when it is not installed (in CI a skip is a failure)."""
    if found := shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"):
        return found
    pytest.skip(f"{program} is not installed")


def require_root() -> None:
    """Both programs open raw sockets."""
    if os.geteuid() != 0:
        pytest.skip("wpa_supplicant needs root")


@dataclass
class Station:
    """A running program: its control socket, its events, and its debug output."""

    name: str
    home: Path
    control: Path
    log: Path
    events: list[str] = field(default_factory=list)
    _sockets: list[socket.socket] = field(default_factory=list)

    def open(self) -> None:
        """Connect twice: for commands, and for events."""
        self._sockets = [self._socket(), self._socket()]
        assert self._ask(self._sockets[1], "ATTACH") == "OK"

    def close(self) -> None:
        for each in self._sockets:
            each.close()

    def ask(self, command: str) -> str:
        """Give a command and return the reply."""
        return self._ask(self._sockets[0], command)

    def must(self, command: str) -> str:
        """Give a command that has to succeed."""
        reply = self.ask(command)
        assert reply not in {"FAIL", "UNKNOWN COMMAND", ""}, f"{command}: {reply}\n{self.tail()}"
        return reply

    def wait(self, name: str) -> str:
        """Return the next event of that name, and nothing longer than the time limit."""
        deadline = time.monotonic() + WAIT_SECONDS
        events = self._sockets[1]
        while time.monotonic() < deadline:
            events.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                text = events.recv(REPLY_BYTES).decode()
            except TimeoutError:
                break
            event = re.sub(r"^<\d+>", "", text)
            self.events.append(event)
            if event.startswith(name):
                return event
        message = f"{self.name} did not say {name}, but {self.events}\n{self.tail()}"
        raise AssertionError(message)

    def forget(self) -> None:
        """Pass over what was said until now."""
        self.events.clear()
        self._sockets[1].settimeout(0)
        with suppress(BlockingIOError):
            while True:
                self._sockets[1].recv(REPLY_BYTES)

    def dump(self, label: str) -> bytes:
        """Return the last octets that the debug output shows under a label."""
        found = re.findall(
            rf"{re.escape(label)} - hexdump\(len=\d+\): ([0-9a-f ]*)", self.log.read_text("latin-1")
        )
        assert found, f"{label} is not in the log"
        return bytes.fromhex(found[-1])

    def tail(self) -> str:
        return self.log.read_text("latin-1")[-3_000:] if self.log.exists() else ""

    def add_uri(self, uri: str) -> str:
        """Make another side's label known."""
        return self.must(f"DPP_QR_CODE {uri}")

    def own_uri(self, *, information: str = "") -> str:
        """Make a bootstrapping key and return its label."""
        more = f" info={information}" if information else ""
        return self.must(
            f"DPP_BOOTSTRAP_GET_URI {self.must('DPP_BOOTSTRAP_GEN type=qrcode' + more)}"
        )

    def listen(self, *options: str) -> int:
        """Listen for the other side; return the port."""
        self.ask("DPP_CONTROLLER_STOP")
        (port,) = free_ports(1)
        self.must(" ".join(("DPP_CONTROLLER_START", *options, f"tcp_port={port}")))
        return port

    def begin(self, uri: str, port: int, *options: str) -> None:
        """Speak first, to another side's label."""
        peer = self.add_uri(uri)
        # Without `neg_freq` the list of channels is empty, and the command fails.
        self.must(
            f"DPP_AUTH_INIT peer={peer} {' '.join(options)} neg_freq=2412"
            f" tcp_addr=127.0.0.1 tcp_port={port}"
        )

    def _socket(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.bind(str(self.home / f"client-{next(_numbers)}"))
        made.settimeout(WAIT_SECONDS)
        made.connect(str(self.control))
        return made

    def _ask(self, sock: socket.socket, command: str) -> str:
        sock.send(command.encode())
        return sock.recv(REPLY_BYTES).decode().rstrip("\n")


@contextmanager
def wpa_supplicant() -> Iterator[Station]:
    """Run wpa_supplicant while the block lasts."""
    program = require("wpa_supplicant")
    require_root()
    with _home() as home:
        settings = home / "wpa.conf"
        settings.write_text(
            f"ctrl_interface=DIR={home}/c\nupdate_config=0\ndpp_config_processing=1\n"
        )
        command = [program, "-dd", "-K", "-t", "-D", "none", "-i", "lo", "-c", str(settings)]
        with _running("wpa_supplicant", command, home, home / "c" / "lo") as station:
            yield station


@contextmanager
def hostapd() -> Iterator[Station]:
    """Run hostapd while the block lasts."""
    program = require("hostapd")
    require_root()
    with _home() as home:
        settings = home / "hostapd.conf"
        settings.write_text(f"interface=lo\ndriver=none\nctrl_interface={home}/c\nssid=nothing\n")
        command = [program, "-dd", "-K", "-t", str(settings)]
        with _running("hostapd", command, home, home / "c" / "lo") as station:
            yield station


@contextmanager
def _home() -> Iterator[Path]:
    """A short path: a socket's has 107 characters at most."""
    with tempfile.TemporaryDirectory(prefix="hp-wpa-") as folder:
        yield Path(folder)


@contextmanager
def _running(name: str, command: list[str], home: Path, control: Path) -> Iterator[Station]:
    station = Station(name, home, control, home / "log")
    with station.log.open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            deadline = time.monotonic() + WAIT_SECONDS
            while not control.exists():
                assert process.poll() is None, f"{name} ended\n{station.tail()}"
                assert time.monotonic() < deadline, f"{name} has no socket\n{station.tail()}"
                time.sleep(LOOK_SECONDS)
            station.open()
            yield station
        finally:
            station.close()
            process.terminate()
            process.wait(WAIT_SECONDS)
