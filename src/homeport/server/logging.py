# SPDX-License-Identifier: Apache-2.0
"""How log lines look and where they go: JSON for programs, text for people, on standard error.

Every line has time, level, logger and event, then the fields of the event. Logging never waits for
who reads: lines are handed to a thread, and when it cannot keep up (a stopped terminal, a slow
pipe), they are counted and dropped, and the next line says how many.
"""

import atexit
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

import msgspec
import structlog

from homeport.errors import Code, HomeportError
from homeport.telemetry import FIELDS_KEY, context, visible

QUEUE_LIMIT: Final = 20_000
"""Lines that wait to be written; at 300 bytes that is 6 MB, and five seconds of a full load."""

GATHER: Final = timedelta(milliseconds=20)
"""How long lines are gathered for one write: a thread that wakes for each costs more than it."""

FAREWELL: Final = timedelta(seconds=2)
"""At the end, for what still waits; nobody who stops a service waits for a stuck terminal."""

LEVELS: Final = ("debug", "info", "warning", "error")

Line = Mapping[str, object]
Look = Callable[[Line], bytes]

_OF_RECORD: Final = frozenset(vars(logging.makeLogRecord({})))
_STANDARD: Final = _OF_RECORD | {"message", "asctime", FIELDS_KEY}
"""Attributes that every record has; others were given as `extra`."""


def set_up_logging(level: str, look: str) -> None:
    """Log to standard error, at `level` or above, as "json" or "console".

    Raise SETTING_WRONG for other words.
    """
    if level.lower() not in LEVELS:
        raise HomeportError(Code.SETTING_WRONG, f"log.level {level}: one of {', '.join(LEVELS)}")
    if look not in _LOOKS:
        raise HomeportError(Code.SETTING_WRONG, f"log.format {look}: one of {', '.join(_LOOKS)}")
    handler = LineHandler(_LOOKS[look](), sys.stderr.fileno())
    atexit.register(handler.close)
    # What we do not print is not looked up ("Optimization" in Python's logging how-to).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    vars(logging)["_srcfile"] = None
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries speak up when something is wrong; their day-to-day is not ours.
    root.setLevel(logging.WARNING)
    logging.getLogger("homeport").setLevel(level.upper())


class LineHandler(logging.Handler):
    """Formats at once, in the caller's context; writes later, in a thread."""

    def __init__(self, look: Look, descriptor: int) -> None:
        """Take how lines look and the file to write to."""
        super().__init__()
        self._look = look
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._dropped = 0
        self._work = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def createLock(self) -> None:  # noqa: N802 - the name that `logging` calls
        """Have no lock: a deque and an event need none."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Format and hand over."""
        if len(self._lines) >= QUEUE_LIMIT:
            self._dropped += 1
            return
        try:
            self._lines.append(self._look(_line(record)))
        except Exception:  # noqa: BLE001 - a line that cannot be written must not end a request
            self.handleError(record)
            return
        if not self._work.is_set():
            self._work.set()

    def close(self) -> None:
        """Write what waits, for as long as the farewell lasts."""
        self._over.set()
        self._work.set()
        self._thread.join(FAREWELL.total_seconds())
        super().close()

    def _write_all(self) -> None:
        while not self._over.is_set() or self._lines:
            self._work.wait()
            self._work.clear()
            self._over.wait(GATHER.total_seconds())
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                record = logging.makeLogRecord({"msg": "log lines dropped", "levelno": 30})
                setattr(record, FIELDS_KEY, {"count": dropped})
                lines.append(self._look(_line(record)))
            if not _write(self._descriptor, b"".join(lines)):
                return


def json_look() -> Look:
    """Return how lines look to programs: one JSON object each."""
    encode = msgspec.json.Encoder(enc_hook=str).encode
    return lambda line: encode(line) + b"\n"


def console_look() -> Look:
    """Return how lines look to people, in colours on a terminal."""
    renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False)

    def look(line: Line) -> bytes:
        shown = {k: visible(v) if isinstance(v, str) else v for k, v in line.items()}
        shown["timestamp"] = str(shown.pop("time"))[11:]
        shown.pop("trace", None)
        if "trace" in line:
            rows = str(line["trace"]).splitlines()
            shown["exception"] = "\n".join(map(visible, rows))
        return str(renderer(None, "", shown)).encode() + b"\n"

    return look


_LOOKS: Final[Mapping[str, Callable[[], Look]]] = {"json": json_look, "console": console_look}


def _line(record: logging.LogRecord) -> Line:
    attributes = vars(record)
    line: dict[str, object] = {
        "time": _time(record.created),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": record.getMessage(),
    }
    fields = attributes.get(FIELDS_KEY)
    line.update(context() if fields is None else fields)
    if len(attributes) > len(_OF_RECORD) + (fields is not None):
        line.update((key, attributes[key]) for key in attributes.keys() - _STANDARD)
    if record.exc_info:
        line["trace"] = logging.Formatter().formatException(record.exc_info)
    return line


_second: tuple[int, str] = (0, "")


def _time(created: float) -> str:
    """Write RFC 3339 in UTC with milliseconds; the whole second is written once."""
    global _second  # noqa: PLW0603 - a cache; two threads may both fill it
    whole = int(created)
    second, text = _second
    if second != whole:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        _second = (whole, text)
    return f"{text}.{int((created - whole) * 1000):03d}Z"


def _write(descriptor: int, content: bytes) -> bool:
    """Write all of it; say whether anybody can still read."""
    view = memoryview(content)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except OSError:
            return False
    return True
