# SPDX-License-Identifier: Apache-2.0
"""The ownership ledger of a device, told from its audit events: who, when, by what proof.

The trail is the only source of truth; here is which of its events are entries. A million minted
devices have no event each: that they were made is known from the manifest's registration.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.ownership import NO_EPOCH, OwnershipEvent, Proof

MANUFACTURED: Final = "manufactured"
"""The first entry of a device that stands in a hand-over manifest."""

LEDGER: Final[Mapping[Name, OwnershipEvent]] = {
    Name.DEVICE_ASSIGNED: OwnershipEvent.SOLD,
    Name.SALE_CORRECTED: OwnershipEvent.SALE_CORRECTED,
    Name.SALE_CANCELLED: OwnershipEvent.SALE_CANCELLED,
    Name.DEVICE_CLAIMED: OwnershipEvent.CLAIMED,
    Name.CLAIM_CONFIRMED: OwnershipEvent.CLAIM_CONFIRMED,
    Name.CLAIM_WITHDRAWN: OwnershipEvent.CLAIM_WITHDRAWN,
    Name.PRESENCE_SHOWN: OwnershipEvent.PRESENCE_SHOWN,
    Name.TRANSFER_OFFERED: OwnershipEvent.TRANSFER_OFFERED,
    Name.TRANSFER_DECLINED: OwnershipEvent.TRANSFER_DECLINED,
    Name.TRANSFER_WITHDRAWN: OwnershipEvent.TRANSFER_WITHDRAWN,
    Name.TRANSFER_EXPIRED: OwnershipEvent.TRANSFER_WITHDRAWN,
    Name.DEVICE_TRANSFERRED: OwnershipEvent.TRANSFER_ACCEPTED,
    Name.OWNER_CONFIRMED: OwnershipEvent.DEVICE_CONFIRMED,
    Name.DEVICE_DECOMMISSIONED: OwnershipEvent.DECOMMISSIONED,
    Name.DEVICE_RECOMMISSIONED: OwnershipEvent.RECOMMISSIONED,
}
"""The events that are entries, and what each did to the ownership."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger."""

    kind: str
    """What happened: MANUFACTURED, or an OwnershipEvent."""
    at: datetime
    actor: str | None
    """Who did it; None: another tenant's affair."""
    tenant: str | None
    """Whose affair it was; None: nobody's, or another tenant's."""
    epoch: int
    """The ownership epoch after it."""
    proof: Proof | None
    """What it rests on; None where it only ended something."""
    story: str
    cursor: int
    """Of the event in the audit trail; 0 for MANUFACTURED."""

    def seen_by(self, tenants: Collection[str] | None) -> "Entry":
        """Return it as members of these tenants see it (None: the operator, who sees all).

        That there was an owner before them is theirs to know, but not who.
        """
        if tenants is None or self.tenant is None or self.tenant in tenants:
            return self
        return replace(self, actor=None, tenant=None, story="–")


def ledger_of(device: Device, timeline: Iterable[AuditEvent]) -> list[Entry]:
    """Tell a device's ledger from its timeline, oldest first."""
    entries = [_manufactured(device)] if device.minted else []
    epoch = NO_EPOCH
    for event in timeline:
        if event.name in LEDGER:
            epoch = max(epoch, int(event.facts.get("epoch", epoch)))
            entries.append(_entry(event, epoch))
    return entries


def _manufactured(device: Device) -> Entry:
    return Entry(
        kind=MANUFACTURED,
        at=device.registered_at,
        actor=f"manufacturer {device.id.authority}",
        tenant=None,
        epoch=NO_EPOCH,
        proof=Proof.MANIFEST,
        story=f"made as {device.model}, listed in a hand-over manifest",
        cursor=0,
    )


def _entry(event: AuditEvent, epoch: int) -> Entry:
    proof = event.facts.get("proof")
    return Entry(
        kind=LEDGER[event.name],
        at=event.at,
        actor=event.actor,
        tenant=event.tenant,
        epoch=epoch,
        proof=None if proof is None else Proof(str(proof)),
        story=event.story(),
        cursor=event.cursor,
    )
