# SPDX-License-Identifier: Apache-2.0
"""Whose a device is, as a table (product decision 9).

Rules: events carry no I/O; every (state, event) pair is a row or is refused; the picture in
docs/reference/ownership.md is drawn from the table. A device has a tenant in the states `HELD` and
in no other. The epoch counts owners: whatever makes another tenant the owner advances it, in the
same transaction, and it never runs backwards, so a device knows an old owner's word by its number.

Quarantine is none of these: it says what a device may do, not whose it is.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from homeport.errors import Code, HomeportError

NO_EPOCH: Final = 0
"""The epoch of a device that never had an owner."""


class Ownership(StrEnum):
    """How it stands with a device's owner. The comment says who has the next move."""

    UNOWNED = "unowned"  # people: sell, assign or claim it
    CLAIMED = "claimed"  # device: confirm the claim by its next enrolment
    OWNED = "owned"  # nobody
    OFFERED = "offered"  # the other tenant: accept or decline; until then nothing has changed
    AWAITING_DEVICE = "awaiting-device"  # device: enrol under the new owner's epoch
    DECOMMISSIONED = "decommissioned"  # nobody; people may take it back into use


class OwnershipEvent(StrEnum):
    """What happens to a device's ownership."""

    SOLD = "sold"  # by a sales record, or assigned by the operator
    CLAIMED = "claimed"  # by the code on the label, or the code of a transfer
    CLAIM_CONFIRMED = "claim-confirmed"  # by the device: it enrolled
    CLAIM_WITHDRAWN = "claim-withdrawn"  # by who made it, or the operator
    PRESENCE_SHOWN = "presence-shown"  # somebody stands in front of it: more than a code
    TRANSFER_OFFERED = "transfer-offered"
    TRANSFER_WITHDRAWN = "transfer-withdrawn"
    TRANSFER_DECLINED = "transfer-declined"
    TRANSFER_ACCEPTED = "transfer-accepted"
    DEVICE_CONFIRMED = "device-confirmed"  # it enrolled under the new owner's epoch
    SALE_CORRECTED = "sale-corrected"  # it was sold to somebody else, and has not arrived yet
    SALE_CANCELLED = "sale-cancelled"  # it was not sold after all, and has not arrived yet
    DECOMMISSIONED = "decommissioned"
    RECOMMISSIONED = "recommissioned"


class Proof(StrEnum):
    """What a statement about ownership rests on."""

    MANIFEST = "manifest"  # the factory's signed list
    SALES_RECORD = "sales-record"
    ASSIGNMENT = "assignment"  # the operator's word for one device
    CLAIM_CODE = "claim-code"
    PRESENCE = "presence"  # a press or a reading at the device itself
    VOUCHER = "voucher"
    TRANSFER = "transfer"  # the former owner's consent
    POLICY = "policy"  # a rule of the platform


_State: Final = Ownership
_Event: Final = OwnershipEvent

TRANSITIONS: Final[Mapping[tuple[Ownership, OwnershipEvent], Ownership]] = {
    # A sale needs no confirmation: who sold it knew to whom.
    (_State.UNOWNED, _Event.SOLD): _State.OWNED,
    (_State.UNOWNED, _Event.CLAIMED): _State.CLAIMED,
    (_State.UNOWNED, _Event.PRESENCE_SHOWN): _State.OWNED,
    (_State.UNOWNED, _Event.DECOMMISSIONED): _State.DECOMMISSIONED,
    (_State.CLAIMED, _Event.CLAIM_CONFIRMED): _State.OWNED,
    (_State.CLAIMED, _Event.CLAIM_WITHDRAWN): _State.UNOWNED,
    # Only to the tenant that claimed it: a sale to another one is a conflict.
    (_State.CLAIMED, _Event.SOLD): _State.OWNED,
    # Also for another tenant: who stands there has it, a code may have been photographed.
    (_State.CLAIMED, _Event.PRESENCE_SHOWN): _State.OWNED,
    (_State.OWNED, _Event.SALE_CORRECTED): _State.OWNED,
    (_State.OWNED, _Event.SALE_CANCELLED): _State.UNOWNED,
    (_State.OWNED, _Event.TRANSFER_OFFERED): _State.OFFERED,
    (_State.OWNED, _Event.DECOMMISSIONED): _State.DECOMMISSIONED,
    (_State.OFFERED, _Event.TRANSFER_WITHDRAWN): _State.OWNED,
    (_State.OFFERED, _Event.TRANSFER_DECLINED): _State.OWNED,
    (_State.OFFERED, _Event.TRANSFER_ACCEPTED): _State.AWAITING_DEVICE,
    (_State.AWAITING_DEVICE, _Event.DEVICE_CONFIRMED): _State.OWNED,
    # A device that was lost on its way is not waited for for ever.
    (_State.AWAITING_DEVICE, _Event.DECOMMISSIONED): _State.DECOMMISSIONED,
    (_State.DECOMMISSIONED, _Event.RECOMMISSIONED): _State.UNOWNED,
}

HELD: Final = frozenset({Ownership.OWNED, Ownership.OFFERED, Ownership.AWAITING_DEVICE})
"""The states in which a device has an owner: its tenant is named exactly in these."""


def ownership_after(state: Ownership, event: OwnershipEvent) -> Ownership:
    """Return the state after the event, or raise HomeportError(TRANSITION_ILLEGAL)."""
    after = TRANSITIONS.get((state, event))
    if after is None:
        raise HomeportError(Code.TRANSITION_ILLEGAL, f"{event} of a device that is {state}")
    return after
