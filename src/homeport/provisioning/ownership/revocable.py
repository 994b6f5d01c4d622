# SPDX-License-Identifier: Apache-2.0
"""Whether what was said of a device without it can still be taken back.

Until it has arrived, a sale is somebody's word: it can be corrected, so who was named meanwhile
makes nothing of it that would outlast him: no claim code, no offer to another tenant.
"""

from typing import Final

from homeport.domain.device import Device
from homeport.domain.enrolment import State
from homeport.domain.ownership import Ownership, Proof
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction

_REVOCABLE: Final = frozenset({Proof.SALES_RECORD, Proof.ASSIGNMENT})
"""What was said without the device can be taken back without it; a claim or presence cannot."""


async def reason_to_stay(tx: Transaction, device: Device) -> str | None:
    """Say why an owned device cannot be taken back; None: it can."""
    name = device.id.serial_number
    if device.ownership is not Ownership.OWNED:
        return f"{name} is {device.ownership} at {device.tenant}"
    if device.proof not in _REVOCABLE:
        return (
            f"{name} is {device.tenant}'s by {device.proof or 'an unknown proof'}, which counts"
            " more: let them transfer it"
        )
    run = await tx.enrolments.latest(device.id)
    if run is not None and run.epoch == device.epoch and run.arrived_at is not None:
        return f"{name} works at {device.tenant} already: let them transfer it"
    if run is not None and run.state is State.REDIRECTED:
        return f"{name} was sent to upstream {device.upstream} already: let them transfer it"
    return None


async def refuse_revocable(tx: Transaction, device: Device) -> None:
    """Refuse what only an owner does whose device has arrived (TRANSITION_ILLEGAL)."""
    if device.ownership is Ownership.OWNED and await reason_to_stay(tx, device) is None:
        raise HomeportError(
            Code.TRANSITION_ILLEGAL,
            f"{device.id.serial_number} has not arrived at {device.tenant} yet:"
            " its sale can still be corrected",
        )
