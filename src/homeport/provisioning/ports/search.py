# SPDX-License-Identifier: Apache-2.0
"""Finding devices among a million, for people: filters, whose they are, page by page."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from homeport.domain.device import Device
from homeport.domain.enrolment import Enrolment, State
from homeport.provisioning.ports.enrolments import Presence

NEVER_SEEN: Final = "registered"
"""Instead of a state: the device never made contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFilter:
    """Which devices are wanted; what is None does not matter."""

    tenants: Collection[str] | None = None
    """Only these tenants' devices; None: all, also those that nobody owns."""
    serial_number: str | None = None
    """Exactly this one."""
    text: str = ""
    """How the serial number begins."""
    state: State | str | None = None
    """Of the latest run, or NEVER_SEEN."""
    model: str | None = None
    is_online: bool | None = None
    is_minted: bool | None = None
    name: str = ""
    """How the name that people gave it begins, whatever the capitals."""
    tag: str | None = None
    """Exactly this tag."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A device in a list, with what is known of where it stands."""

    device: Device
    run: Enrolment | None
    """The latest."""
    presence: Presence | None


@dataclass(frozen=True, slots=True)
class Found:
    """Some devices, and how to go on."""

    rows: Sequence[Listed]
    next: str | None
    """Where the next page begins; None: this was the end."""


class Search(Protocol):
    """Devices as people look for them."""

    async def devices(self, wanted: DeviceFilter, *, after: str | None, limit: int) -> Found:
        """Return at most `limit` devices beyond the cursor, always in the same order.

        So that no page takes long, however few devices fit, it may hold fewer than there are, even
        none: only `next` says whether this was the end. A wrong cursor is a MalformedError.
        """
        ...
