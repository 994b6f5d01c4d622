# SPDX-License-Identifier: Apache-2.0
"""What is done with devices after they arrived: commands, quarantine, transfers, ends."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from homeport.api.wire.model import Document, Name, Title
from homeport.domain.life import command, offer
from homeport.domain.life.command import CommandState, Order
from homeport.domain.life.offer import OfferState

DEVICE_ID_MAX = 300
"""Characters; the longest has every octet of its serial number escaped."""

DeviceName = Annotated[str, StringConstraints(min_length=1, max_length=DEVICE_ID_MAX)]
Days = Annotated[int, Field(ge=1)]


class NewCommand(Document):
    """What a device is asked to do."""

    order: Order
    """`renew`: a new certificate for the same key; `rekey`: a new key; `reset`: forget and begin
    anew."""
    days: Annotated[Days, Field(le=command.LIFETIME_MAX.days)] = command.LIFETIME.days
    """How long a device that is away may still obey."""


class Command(Document):
    """Something that a device was asked to do."""

    id: str
    order: Order
    state: CommandState
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    reason: str
    """Why the device refused it: a code; else empty."""

    @classmethod
    def of(cls, asked: command.Command) -> Self:
        """Show a command."""
        return cls(
            id=asked.id,
            order=asked.order,
            state=asked.state,
            asked_by=asked.asked_by,
            asked_at=asked.asked_at,
            expires_at=asked.expires_at,
            ended_at=asked.ended_at,
            reason=asked.reason,
        )


class Commands(Document):
    """A device's commands."""

    items: list[Command]
    """Newest first; the last hundred."""


class Reset(Document):
    """How a device is reset."""

    keeps_context: bool = True
    """Whether name, tags, location, attributes and settings stay."""


class Holding(Document):
    """Why a device is put into quarantine."""

    reason: Annotated[Title, Field(min_length=1)]


class Successor(Document):
    """Which device takes the place."""

    device: DeviceName
    """Id of the new device; of the same tenant."""


class Recommissioning(Document):
    """Whose a device is that is taken back into use."""

    tenant: Name | None = None
    """Null: the tenant that had it last; for the operator, nobody's."""


class NewOffer(Document):
    """To whom a device is offered."""

    tenant: Name | None = None
    """Null: to whoever has the code that the answer shows."""
    days: Annotated[Days, Field(le=offer.LIFETIME_MAX.days)] = offer.LIFETIME.days
    """How long the offer stands."""


class Offer(Document):
    """A device that is, or was, offered to another tenant."""

    id: str
    device: str
    seller: str
    """Tenant that has it."""
    buyer: str | None
    """Tenant that may take it; null: whoever has the code."""
    state: OfferState
    offered_by: str
    offered_at: datetime
    expires_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, made: offer.Offer) -> Self:
        """Show an offer."""
        return cls(
            id=made.id,
            device=str(made.device),
            seller=made.seller,
            buyer=made.buyer,
            state=made.state,
            offered_by=made.offered_by,
            offered_at=made.offered_at,
            expires_at=made.expires_at,
            ended_at=made.ended_at,
        )


class Offered(Document):
    """An offer that was made."""

    offer: Offer
    code: str | None
    """For whoever is to take it; shown once. Null for a named tenant."""


class Acceptance(Document):
    """For whom an offer is accepted."""

    tenant: Name
    upstream: Name | None = None
    """Null: the tenant's default."""


class CodeAcceptance(Acceptance):
    """For whom an offer is accepted, and the code that it came with."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class TakenOver(Document):
    """A device that changed hands."""

    device: str
    tenant: str
    epoch: int
    claim_code: str
    """For its next owner; shown once. The label's code is worthless now."""
