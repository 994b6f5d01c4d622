# SPDX-License-Identifier: Apache-2.0
"""How a device stands in its row."""

from typing import Final

from homeport.domain.device import Device, DeviceId
from homeport.domain.ownership import Ownership, Proof
from homeport.storage.connection import Row
from homeport.storage.instants import to_instant
from homeport.storage.schema import devices

DEVICE_COLUMNS: Final = [
    devices.c[name]
    for name in (
        "authority",
        "serial_number",
        "model",
        "hardware_identity",
        "minted",
        "idevid_fingerprint",
        "tenant",
        "upstream",
        "epoch",
        "registered_at",
        "ownership",
        "proof",
    )
]
"""What `to_device` reads."""

_OWNERSHIPS: Final = {state.value: state for state in Ownership}
"""A look-up; calling the enumeration takes four times as long, and this is every enrolment."""


def to_device(row: Row, device: DeviceId | None = None) -> Device:
    """Read a row of DEVICE_COLUMNS; the caller may know the id already."""
    authority, serial_number, model, hardware_identity, is_minted, fingerprint, *rest = row
    tenant, upstream, epoch, registered_at, ownership, proof = rest
    return Device(
        id=device or DeviceId(authority, serial_number),
        model=model,
        hardware_identity=hardware_identity,
        minted=bool(is_minted),
        idevid_fingerprint=fingerprint,
        tenant=tenant,
        upstream=upstream,
        epoch=epoch,
        registered_at=to_instant(registered_at),
        ownership=_OWNERSHIPS[ownership],
        proof=Proof(proof) if proof else None,
    )
