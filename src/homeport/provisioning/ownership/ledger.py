# SPDX-License-Identifier: Apache-2.0
"""Tell a device's ownership ledger from the audit trail."""

from typing import Final

from homeport.domain.audit import AuditEvent
from homeport.domain.device import Device
from homeport.domain.ledger import LEDGER, Entry, ledger_of
from homeport.provisioning.ports import Transaction

PAGE: Final = 500
"""Events read at once; a device has some hundreds in its life."""


async def ledger(tx: Transaction, device: Device) -> list[Entry]:
    """Return the ledger, oldest first."""
    entries: list[AuditEvent] = []
    cursor, more = 0, True
    while more:
        page = await tx.audit.of_device(device.id, after=cursor, limit=PAGE)
        entries += [event for event in page if event.name in LEDGER]
        more = len(page) == PAGE
        cursor = page[-1].cursor if page else cursor
    return ledger_of(device, entries)
