# SPDX-License-Identifier: Apache-2.0
"""How the agent's log lines look: text for people, or one JSON object a line.

Each line names the device, once its id is known. Standard error, so that systemd's journal takes
them; there time is the journal's business, elsewhere it stands in the line.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from homeport.agent.settings import LogFormat, LogSettings
from homeport.telemetry import DEVICE, FIELDS_KEY, visible

JOURNAL: Final = "JOURNAL_STREAM"
"""Set by systemd for whom it logs (systemd.exec(5))."""


class DeviceFilter(logging.Filter):
    """Adds the device to every record."""

    def __init__(self, name: str) -> None:
        """Take the name to begin with: the serial number, until the platform gave an id."""
        super().__init__()
        self.name_of_device: Callable[[], str] = lambda: name

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the device."""
        record.device = self.name_of_device()
        return True


class JsonFormatter(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record."""
        written = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            DEVICE: getattr(record, "device", ""),
            **getattr(record, FIELDS_KEY, {}),
        }
        if record.exc_info:
            written["exception"] = self.formatException(record.exc_info)
        return json.dumps(written, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """One line for people; what proxies and platforms said cannot drive the terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Write the line, without what follows of an exception."""
        return visible(super().formatMessage(record))


def set_up_log(settings: LogSettings, name: str) -> DeviceFilter:
    """Send log lines to standard error; return what names the device in them."""
    handler = logging.StreamHandler(sys.stderr)
    naming = DeviceFilter(name)
    handler.addFilter(naming)
    if settings.format is LogFormat.JSON:
        handler.setFormatter(JsonFormatter())
    else:
        time = "" if JOURNAL in os.environ else "%(asctime)s "
        handler.setFormatter(TextFormatter(f"{time}%(levelname)s %(device)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=settings.level.upper(), force=True)
    return naming
