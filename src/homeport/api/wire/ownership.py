# SPDX-License-Identifier: Apache-2.0
"""Whose devices are: claims, the ledger, sales records."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints

from homeport.api.wire.model import Document, Name
from homeport.domain import claim, ledger
from homeport.domain.claim import ClaimState
from homeport.domain.ownership import Ownership, Proof

RECORDS_MAX: Final = 1000
"""Sales records in one request; more are imported from a file."""

CodeText = Annotated[str, StringConstraints(min_length=1, max_length=100)]
DeviceText = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Cell = Annotated[str, StringConstraints(max_length=200)]


class NewClaim(Document):
    """What was read from a label."""

    device: DeviceText
    """Serial number, or the whole device id."""
    code: CodeText
    """The claim code, as it is printed or typed."""
    tenant: Name
    """For whom."""


class Claim(Document):
    """A claim."""

    id: str
    device: str
    tenant: str
    actor: str
    """Who made it."""
    claimed_at: datetime
    state: ClaimState
    """`pending` until the device confirms it by its next enrolment."""
    ended_at: datetime | None

    @classmethod
    def of(cls, known: claim.Claim) -> Self:
        """Show a claim of the registry."""
        return cls(
            id=known.id,
            device=str(known.device),
            tenant=known.tenant,
            actor=known.actor,
            claimed_at=known.claimed_at,
            state=known.state,
            ended_at=known.ended_at,
        )


class ClaimCode(Document):
    """A fresh claim code: shown this once, only its hash is kept."""

    code: str


class LedgerEntry(Document):
    """One line of a device's ownership ledger."""

    kind: str
    """`manufactured`, or what happened to the ownership."""
    at: datetime
    actor: str | None
    """Who did it; null: another tenant's affair."""
    tenant: str | None
    epoch: int
    proof: Proof | None
    """What it rests on."""
    story: str

    @classmethod
    def of(cls, entry: ledger.Entry) -> Self:
        """Show an entry."""
        return cls(
            kind=entry.kind,
            at=entry.at,
            actor=entry.actor,
            tenant=entry.tenant,
            epoch=entry.epoch,
            proof=entry.proof,
            story=entry.story,
        )


class DeviceOwnership(Document):
    """Whose a device is, and how that came about."""

    ownership: Ownership
    tenant: str | None
    epoch: int
    proof: Proof | None
    """What the present owner's title rests on."""
    claim: Claim | None
    """The pending one."""
    entries: list[LedgerEntry]
    """The ledger, oldest first."""


class NewSalesRecord(Document):
    """What a line of a sales file says; empty: as if the column were not there."""

    serial_number: Cell = ""
    """One, or a range `first..last`; or else `model`."""
    model: Cell = ""
    """All of this model; needs `authority`."""
    authority: Cell = ""
    tenant: Cell = ""
    """Whom they went to; of a cancellation, whom they had gone to."""
    upstream: Cell = ""
    action: Cell = ""
    """sale, correction or cancellation."""
    reference: Cell = ""
    """The order's number: what is said again under another one is said anew."""


class NewSales(Document):
    """Sales records to import."""

    records: Annotated[list[NewSalesRecord], Field(min_length=1, max_length=RECORDS_MAX)]
    all_or_none: bool = True
    """False: take the good ones, whatever the others are."""
    dry_run: bool = False
    """Check everything, keep nothing."""


class SalesFault(Document):
    """A record that was not taken."""

    record: int | None
    """Its place in the request, from 1; null: a device that stays where it is."""
    code: str
    reason: str


class ImportedSales(Document):
    """What became of the records."""

    records: int
    """That could be taken."""
    new: int
    outdated: int
    """That repeat what was corrected or cancelled since; they changed nothing."""
    assigned: int
    """Registered devices that have an owner now."""
    moved: int
    freed: int
    failed: int
    faults: list[SalesFault]
    """The first hundred."""
