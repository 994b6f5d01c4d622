# SPDX-License-Identifier: Apache-2.0
"""Commands: what the platform asks a device to do now, as a table of states.

Rules: one command of a device is open at a time; it ends once, and stays as it ended; one that
nobody obeyed in time has expired, whatever the device says later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError


class Order(StrEnum):
    """What a device can be asked to do."""

    RENEW = "renew"  # a new certificate for the same key
    REKEY = "rekey"  # a new key, and a certificate for it
    RESET = "reset"  # forget the owner's side, and enrol anew


class CommandState(StrEnum):
    """Where a command stands. The comment says who has the next move."""

    ASKED = "asked"  # device: do it, or say why not
    OBEYED = "obeyed"  # nobody
    REFUSED = "refused"  # nobody
    EXPIRED = "expired"  # nobody
    WITHDRAWN = "withdrawn"  # nobody


class CommandEvent(StrEnum):
    """What happens to a command."""

    DONE = "done"
    DEVICE_REFUSED = "device-refused"
    TIME_OVER = "time-over"
    TAKEN_BACK = "taken-back"


TRANSITIONS: Final[Mapping[tuple[CommandState, CommandEvent], CommandState]] = {
    (CommandState.ASKED, CommandEvent.DONE): CommandState.OBEYED,
    (CommandState.ASKED, CommandEvent.DEVICE_REFUSED): CommandState.REFUSED,
    (CommandState.ASKED, CommandEvent.TIME_OVER): CommandState.EXPIRED,
    (CommandState.ASKED, CommandEvent.TAKEN_BACK): CommandState.WITHDRAWN,
}

LIFETIME: Final = timedelta(days=7)
"""How long a device that is away may still obey, unless it is said otherwise: a long weekend."""
LIFETIME_MAX: Final = timedelta(days=365)
"""A machine that is laid up over winter; later the wish is somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing that a device was asked to do."""

    id: str
    """32 hexadecimal digits."""
    device: DeviceId
    order: Order
    epoch: int
    """Ownership epoch under which it was asked: it is that owner's affair."""
    state: CommandState = CommandState.ASKED
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    reason: str = ""
    """Why it was refused: a code of the catalogue, or a later version's."""

    def after(self, event: CommandEvent, now: datetime, reason: str = "") -> "Command":
        """Return the command after the event, or raise HomeportError(TRANSITION_ILLEGAL)."""
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise HomeportError(Code.TRANSITION_ILLEGAL, f"{event}: the command is {self.state}")
        return replace(self, state=state, ended_at=now, reason=reason)
