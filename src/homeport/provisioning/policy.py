# SPDX-License-Identifier: Apache-2.0
"""What the operator of the platform has decided about enrolments."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class SecondKey(StrEnum):
    """What happens when a known identity asks for a certificate for another key."""

    ASK = "ask"  # a person decides; the running device keeps working
    ACCEPT = "accept"  # the new key takes over; the earlier one is revoked


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Rules that hold for the whole platform."""

    second_key: SecondKey = SecondKey.ASK
    renewal_grace: timedelta = timedelta(days=365)
    """How long after its end a certificate may still be renewed (and do nothing else)."""
