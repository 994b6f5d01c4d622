# SPDX-License-Identifier: Apache-2.0
"""Quarantine: a device that is known, connected and managed, and whose messages go nowhere.

Its certificate counts; the broker takes its state and the results of commands from it, gives it
commands, and nothing else (`domain.topics.device_permissions`). It says nothing about ownership.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeport.domain.device import DeviceId
from homeport.errors import MalformedError

REASON_MAX: Final = 200
"""Characters: a line of a timeline, not a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Who put a device in, why, and until when it lasted."""

    device: DeviceId
    by: str
    reason: str
    since: datetime
    released_at: datetime | None = None


def check_reason(reason: str) -> str:
    """Return a reason as people gave it, or refuse it (MalformedError)."""
    if not 0 < len(reason) <= REASON_MAX or not reason.isprintable() or not reason.strip():
        raise MalformedError(f"a reason is one printable line of 1 to {REASON_MAX} characters")
    return reason
