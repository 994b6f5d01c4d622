# SPDX-License-Identifier: Apache-2.0
"""Which devices are connected."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select

from homeport.domain.device import DeviceId
from homeport.errors import Code
from homeport.provisioning.ports import Presence
from homeport.storage.compiled import ONE, ZERO, named, query, upsert
from homeport.storage.connection import Connection
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.schema import presence

_GET: Final = query(
    select(presence.c.online, presence.c.since).where(presence.c.device == named("device"))
)
_ONLINE: Final = query(
    select(presence.c.device)
    .where(
        presence.c.device > named("after"),
        presence.c.online == ONE,
        presence.c.since < named("before"),
    )
    .order_by(presence.c.device)
    .limit(named("limit"))
    .offset(ZERO)
)
_PUT: Final = upsert(presence, key=["device"], change=["online", "since"], absent=Code.NOT_FOUND)


class SqlPresenceBoard:
    """The port `PresenceBoard`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, device: DeviceId) -> Presence | None:
        """Return what was last seen."""
        row = await self._connection.row(_GET, {"device": str(device)})
        return Presence(online=bool(row[0]), since=to_instant(row[1])) if row else None

    async def put(self, device: DeviceId, presence: Presence) -> None:
        """Note what was seen."""
        values = {
            "device": str(device),
            "online": int(presence.online),
            "since": to_micros(presence.since),
        }
        await self._connection.run(_PUT, values)

    async def online(
        self, *, before: datetime, after: DeviceId | None, limit: int
    ) -> Sequence[DeviceId]:
        """Return devices last seen online, and since earlier than `before`, by id."""
        values = {
            "after": str(after) if after else "",
            "before": to_micros(before),
            "limit": limit,
        }
        rows = await self._connection.rows(_ONLINE, values)
        return [DeviceId.parse(row[0]) for row in rows]
