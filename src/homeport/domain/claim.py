# SPDX-License-Identifier: Apache-2.0
"""A claim: a tenant says, with the code of the label, that a device is its own (decision 9).

Provisional until the device confirms it by its next enrolment. One device has one pending claim at
most; the code proves that somebody read the label, not that it was the buyer.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from homeport.domain.device import DeviceId


class ClaimState(StrEnum):
    """What became of it."""

    PENDING = "pending"  # the device has not been here since
    CONFIRMED = "confirmed"  # the device enrolled: its owner is who claimed it
    WITHDRAWN = "withdrawn"  # by who made it, or the operator
    OVERRULED = "overruled"  # somebody stood in front of the device, or it was sold


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of one tenant."""

    id: str
    device: DeviceId
    tenant: str
    actor: str
    """Who made it."""
    claimed_at: datetime
    state: ClaimState = ClaimState.PENDING
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClaimCode:
    """What is kept of the code that claims a device; never the code itself."""

    hash: bytes
    """SHA-256."""
    epoch: int
    """It counts while this is the device's ownership epoch: each new owner ends it."""
