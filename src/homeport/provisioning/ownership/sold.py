# SPDX-License-Identifier: Apache-2.0
"""What a sales record says of a device, as a title."""

from homeport.domain.ownership import OwnershipEvent, Proof, SalesRecord
from homeport.provisioning.ownership.own import Title


def sold_title(record: SalesRecord, event: OwnershipEvent = OwnershipEvent.SOLD) -> Title | None:
    """Return the title of the record's tenant; None if it says that nobody bought it."""
    if record.tenant is None:
        return None
    return Title(
        tenant=record.tenant,
        upstream=record.upstream,
        event=event,
        proof=Proof.SALES_RECORD,
        source=record.source,
    )
