# SPDX-License-Identifier: Apache-2.0
"""An offer: an owner lets another tenant have a device; nothing changes until it is accepted.

It goes to a tenant by name, or to whoever has its code. One device has one open offer at most.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError

LIFETIME: Final = timedelta(days=14)
"""How long it stands unless it is said otherwise: a parcel's journey and a weekend."""
LIFETIME_MAX: Final = timedelta(days=90)
"""Longer is not an offer but a device that nobody looks after."""


class OfferState(StrEnum):
    """What became of it."""

    OPEN = "open"  # the other tenant: accept or decline
    ACCEPTED = "accepted"
    DECLINED = "declined"  # by whom it was offered to
    WITHDRAWN = "withdrawn"  # by who offered it
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One device, offered once."""

    id: str
    device: DeviceId
    seller: str
    """Tenant that has it."""
    buyer: str | None
    """Tenant that may take it; None: whoever has the code."""
    code_hash: bytes | None
    """SHA-256 of the code; None for a named buyer."""
    offered_by: str
    offered_at: datetime
    expires_at: datetime
    state: OfferState = OfferState.OPEN
    ended_at: datetime | None = None

    def is_party(self, tenant: str) -> bool:
        """Say whether it is this tenant's affair."""
        return tenant in (self.seller, self.buyer)

    def ended(self, state: OfferState, now: datetime) -> "Offer":
        """Return it as it ends; TRANSITION_ILLEGAL if it has ended already."""
        if self.state is not OfferState.OPEN:
            raise HomeportError(Code.TRANSITION_ILLEGAL, f"the offer is {self.state}")
        return replace(self, state=state, ended_at=now)
