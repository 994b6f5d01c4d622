# SPDX-License-Identifier: Apache-2.0
"""Where the demo plays: a directory, free ports, and processes that end with it."""

import json
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

HOMEPORT: Final = (sys.executable, "-m", "homeport")
SOFTHSM: Final = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"),
)
LOOK_SECONDS: Final = 0.1
ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a service manager, a closed terminal."""

PORTS = range(10_000, 20_000)
"""Below those of outgoing connections: who knocks at a closed port among them may be given that
very port, talk to itself, and occupy it. And below those that the broker takes for itself."""

_RANDOM: Final = random.SystemRandom()
"""Not the shared generator, which property tests put back to where it was."""
_given: Final[set[int]] = set()


class DemoError(Exception):
    """A step failed; the text says which and what it said."""


class Ended(BaseException):
    """Somebody ended the demo; like KeyboardInterrupt, no ordinary error."""

    def __init__(self, by: signal.Signals) -> None:
        """Take the signal."""
        super().__init__(by)
        self.status: Final = 128 + by
        """What a shell expects of a program that was ended so."""


class Stage:
    """Runs commands and keeps processes; everything is gone when the block is left."""

    def __init__(self) -> None:
        """Make the directory, and be ready to be ended at any moment."""
        self._ended: Ended | None = None
        self._is_starting = False
        for each in ENDING:
            signal.signal(each, self._end)
        self.directory = Path(tempfile.mkdtemp(prefix="homeport-demo-"))
        self.environment = dict(os.environ)
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_how: object) -> None:
        """End the processes, last started first, and remove the directory."""
        _ignore_signals()
        for _, process in reversed(self._running):
            process.send_signal(signal.SIGTERM)
        for _, process in reversed(self._running):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, *arguments: str | Path) -> str:
        """Run `homeport …` to its end and return what it printed; DemoError if it failed."""
        return self.call(*HOMEPORT, *arguments)

    def call(self, *command: str | Path) -> str:
        """Run a program to its end and return what it printed; DemoError if it failed."""
        process = self._begin("command", command, subprocess.PIPE, subprocess.PIPE)
        out, errors = process.communicate()
        self._running.pop()
        if process.returncode:
            said = (errors.strip() or out.strip()).decode(errors="replace")
            raise DemoError(f"{shlex.join(map(str, command))}\n{said}")
        return out.decode()

    def ask(self, *arguments: str | Path) -> Any:
        """Run `homeport … --json` and return what it said."""
        return json.loads(self.run(*arguments, "--json"))

    def start(self, name: str, *arguments: str | Path) -> Path:
        """Start `homeport …` in the background; its output goes to the returned log file."""
        log = self.directory / f"{name}.log"
        with log.open("wb") as output:
            self._begin(name, (*HOMEPORT, *arguments), output, subprocess.STDOUT)
        return log

    def _begin(
        self, name: str, command: Sequence[str | Path], out: BinaryIO | int, errors: int
    ) -> subprocess.Popen[bytes]:
        """Start a process; who ends the demo in this very moment waits until we know it."""
        self._is_starting = True
        try:
            process = subprocess.Popen(
                list(map(str, command)),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
            )
            self._running.append((name, process))
        finally:
            self._is_starting = False
        if self._ended is not None:
            raise self._ended
        return process

    def _end(self, by: int, _frame: object) -> None:
        _ignore_signals()
        self._ended = Ended(signal.Signals(by))
        if not self._is_starting:
            raise self._ended

    def until(self, what: str, is_true: Callable[[], bool], seconds: float) -> None:
        """Wait until it is true; DemoError when it takes too long or a process has ended."""
        limit = time.monotonic() + seconds
        while not is_true():
            for name, process in self._running:
                if process.poll() is not None:
                    raise DemoError(f"{name} ended.\n{self.tail(name)}")
            if time.monotonic() > limit:
                logs = "\n".join(self.tail(name) for name, _ in self._running)
                raise DemoError(f"after {seconds:.0f} s still waiting for: {what}\n{logs}")
            self._stopped.wait(LOOK_SECONDS)

    def tail(self, name: str, lines: int = 8) -> str:
        """Return the end of a process's log."""
        text = (self.directory / f"{name}.log").read_text(errors="replace")
        return "\n".join([f"--- {name}", *text.splitlines()[-lines:]])


def _ignore_signals() -> None:
    """Who presses Ctrl-C twice must not stop the tidying: keys lie in the directory."""
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)


def program() -> str:
    """Return what a reader types to run this very program."""
    called = Path(sys.argv[0])
    if called.name != "homeport":
        return f"{shlex.quote(sys.executable)} -m homeport"
    found = shutil.which("homeport")
    return "homeport" if found and called.samefile(found) else shlex.quote(str(called))


def free_ports(count: int) -> Sequence[int]:
    """Return ports of the loopback interface that nobody uses now, and that were not given before.

    A port that was given is not yet bound: the next caller would find it free, too.
    """
    free: list[int] = []
    while len(free) < count:
        port = _RANDOM.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                free.append(port)
    return free


def make_token(stage: Stage) -> str | None:
    """Make a PKCS#11 token (SoftHSM) and return its URI; None where SoftHSM is not installed."""
    module = next((path for path in SOFTHSM if path.exists()), None)
    utility = shutil.which("softhsm2-util")
    if module is None or utility is None:
        return None
    tokens = stage.directory / "tokens"
    tokens.mkdir(mode=0o700)
    configuration = stage.directory / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    stage.environment["SOFTHSM2_CONF"] = str(configuration)
    pin = stage.directory / "pin"
    pin.write_text("1234")
    pin.chmod(0o600)
    stage.call(
        utility, "--init-token", "--free", "--label", "board", "--so-pin", "5678", "--pin", "1234"
    )
    return f"pkcs11:token=board?module-path={module}&pin-source=file:{pin}"
