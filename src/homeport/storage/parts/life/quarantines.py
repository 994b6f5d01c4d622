# SPDX-License-Identifier: Apache-2.0
"""Which devices are in quarantine, and were lately."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select

from homeport.domain.device import DeviceId
from homeport.domain.life.quarantine import Quarantine
from homeport.errors import Code
from homeport.storage.compiled import named, query, upsert
from homeport.storage.connection import Connection
from homeport.storage.instants import to_instant, to_micros, to_micros_or_none
from homeport.storage.schema import quarantines

_GET: Final = query(
    select(quarantines.c.by, quarantines.c.reason, quarantines.c.since).where(
        quarantines.c.device == named("device"), quarantines.c.released_at.is_(None)
    )
)
_TO_ENFORCE: Final = query(
    select(quarantines.c.device)
    .where(
        or_(
            quarantines.c.released_at.is_(None),
            quarantines.c.released_at > named("released_after"),
        )
    )
    .order_by(quarantines.c.device)
)
_PUT: Final = upsert(
    quarantines,
    key=["device"],
    change=["by", "reason", "since", "released_at"],
    absent=Code.DEVICE_UNKNOWN,
)


class SqlQuarantines:
    """The port `Quarantines`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, device: DeviceId) -> Quarantine | None:
        """Return the present one."""
        row = await self._connection.row(_GET, {"device": str(device)})
        if row is None:
            return None
        by, reason, since = row
        return Quarantine(device=device, by=by, reason=reason, since=to_instant(since))

    async def put(self, quarantine: Quarantine) -> None:
        """Keep it, instead of the device's earlier one."""
        values = {
            "device": str(quarantine.device),
            "by": quarantine.by,
            "reason": quarantine.reason,
            "since": to_micros(quarantine.since),
            "released_at": to_micros_or_none(quarantine.released_at),
        }
        await self._connection.run(_PUT, values)

    async def to_enforce(self, released_after: datetime) -> Sequence[DeviceId]:
        """Return the devices whose permissions changed."""
        values = {"released_after": to_micros(released_after)}
        rows = await self._connection.rows(_TO_ENFORCE, values)
        return [DeviceId.parse(row[0]) for row in rows]
