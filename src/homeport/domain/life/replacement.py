# SPDX-License-Identifier: Apache-2.0
"""A replacement: one device takes the place of another, until the new one arrives undoably."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from homeport.domain.device import DeviceId


class ReplacementState(StrEnum):
    """What became of it."""

    DONE = "done"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """Which device went, which came, and what has to be put back if that was a mistake."""

    new: DeviceId
    old: DeviceId
    by: str
    at: datetime
    upstream_before: str | None
    """Of the new device."""
    was_revoked: bool
    """Whether the old one's access was ended by it."""
    state: ReplacementState = ReplacementState.DONE
