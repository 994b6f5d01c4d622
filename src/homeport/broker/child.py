# SPDX-License-Identifier: Apache-2.0
"""One run of the nats-server program: found, started, watched, ended; never left behind.

On Linux it gets SIGTERM from the kernel when its parent dies, however it dies (PR_SET_PDEATHSIG).
Should one be left over all the same (another system, a parent killed in the wrong millisecond),
the next start finds it by the pid file and ends it, but only if it really is that program with
that configuration: pids are used again.
"""

import asyncio
import contextlib
import logging
import os
import re
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from homeport.errors import Code, HomeportError

log: Final = logging.getLogger(__name__)

STOP_SECONDS: Final = 5.0
"""Time to end by itself; then it is killed, which does no harm with `sync_interval: always`. It
waits for log-ins under way, and writes 20 ms for each subscription that is kept: minutes for a
fleet."""
_TAIL_LINES: Final = 20
"""Lines of its log that are kept to explain why it ended."""

# Runs before nats-server takes over the process. PDEATHSIG survives exec; a parent that died before
# the call is noticed by its pid. A script instead of preexec_fn, which is unsafe beside threads.
_LAUNCH: Final = """
import ctypes, os, signal, sys
parent, program = int(sys.argv[1]), sys.argv[2]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != parent:
    sys.exit(1)
os.execv(program, sys.argv[2:])
"""
_GIVEN_UP: Final = ("critical write error", "will be DISABLED")
"""What it says when it has stopped to write (a full disk, a bad one): nats-server 2.15 then takes
no message of that stream any more, also when there is room again, until it is started anew."""
_LEVELS: Final[Mapping[str, int]] = {
    "DBG": logging.DEBUG,
    "TRC": logging.DEBUG,
    "INF": logging.DEBUG,  # banner and addresses; what matters of it we say ourselves
    "WRN": logging.WARNING,
    "ERR": logging.WARNING,  # mostly about one connection; ours are errors of the platform
    "FTL": logging.ERROR,
}
_LINE: Final = re.compile(r"\[\d+\] \[(\w{3})\] ?(.*)")


def find_program() -> str:
    """Path of nats-server: beside this Python (the wheel puts it there), else on the PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    if found := beside if beside.exists() else shutil.which("nats-server"):
        return str(found)
    raise HomeportError(Code.BROKER_UNAVAILABLE, "nats-server is missing: install homeport[server]")


class Child:
    """A running nats-server."""

    def __init__(self, process: asyncio.subprocess.Process, tasks: asyncio.TaskGroup) -> None:
        """Take a process that was just started, and who owns the reading of its log."""
        self._process = process
        self.tail: list[str] = []
        """The last lines of its log."""
        self.gave_up_writing = asyncio.Event()
        """Set when it says so; only a new start helps."""
        self._reader = tasks.create_task(self._read_log(), name="nats-server log")

    @classmethod
    async def start(cls, program: str, configuration: Path, tasks: asyncio.TaskGroup) -> "Child":
        """Start it; whether it then serves is for the caller to see."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid())),
            *(program, "-c", str(configuration)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd=configuration.parent,
            start_new_session=True,  # Ctrl-C in a terminal is for us; we end it in our order.
        )
        return cls(process, tasks)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self._process.returncode is not None

    async def ended(self) -> int:
        """Wait until it has ended, and its log is read; return its exit status."""
        status = await self._process.wait()
        await self._reader
        return status

    def reload(self) -> None:
        """Make it read certificates and configuration again."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGHUP)

    async def stop(self) -> None:
        """End it, by force if it takes too long."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.ended()
        except TimeoutError:
            log.info("nats-server is killed: what it acknowledged is on the disk")
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self.ended()

    async def _read_log(self) -> None:
        stream = self._process.stderr
        assert stream is not None  # noqa: S101 - opened as a pipe above
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the buffer: what was read is thrown away
                continue
            if not line:
                return
            self._note(line.decode(errors="replace").rstrip())

    def _note(self, line: str) -> None:
        found = _LINE.fullmatch(line)
        level, text = (_LEVELS.get(found[1], 0), found[2]) if found else (logging.INFO, line)
        self.tail = [*self.tail[1 - _TAIL_LINES :], text]
        if any(words in text for words in _GIVEN_UP):
            self.gave_up_writing.set()
        log.log(level, "nats-server: %s", text)


async def end_leftover(pid_file: Path, configuration: Path) -> bool:
    """End a nats-server that an earlier run left behind; say whether there was one.

    When this returns its ports are free: the process is held by a descriptor, which tells its true
    end. (In /proc it loses its name earlier, while the kernel still closes its sockets.)
    """
    pid = _read_pid(pid_file)
    if pid is None or sys.platform != "linux":
        return False
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if _is_dying(pid):
            return await _has_ended(process)
        if not _is_ours(pid, configuration):
            return False
        log.warning("ending nats-server %d, left over from an earlier run", pid)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, number)
            if await _has_ended(process):
                return True
    finally:
        os.close(process)
    raise HomeportError(Code.BROKER_UNAVAILABLE, f"nats-server {pid} cannot be ended")


def _read_pid(pid_file: Path) -> int | None:
    try:
        pid = int(pid_file.read_text()[:20])
    except (OSError, ValueError):
        return None
    return pid if pid > 1 else None


def _is_ours(pid: int, configuration: Path) -> bool:
    """Whether the process is nats-server with our configuration in our directory."""
    proc = Path("/proc") / str(pid)
    try:
        program = (proc / "exe").readlink().name.removesuffix(" (deleted)")
        arguments = (proc / "cmdline").read_bytes().split(b"\0")
        directory = (proc / "cwd").readlink()
    except OSError:
        return False
    return (
        program == "nats-server"
        and os.fsencode(configuration) in arguments
        and directory == configuration.parent.resolve()
    )


def _is_dying(pid: int) -> bool:
    """Whether the process has no name any more but may still have files (proc(5), state)."""
    try:
        state = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state in {"Z", "X"}


async def _has_ended(process: int) -> bool:
    """Wait for the process of this descriptor, for a while."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(process, ended.set)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await ended.wait()
    except TimeoutError:
        return False
    else:
        return True
    finally:
        loop.remove_reader(process)
