# SPDX-License-Identifier: Apache-2.0
"""What devices are told and what they say of themselves."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, text

from homeport.domain.context.twin import Twin
from homeport.domain.device import DeviceId
from homeport.errors import Code
from homeport.storage.compiled import ZERO, named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.documents import to_document, to_text
from homeport.storage.instants import (
    to_instant,
    to_instant_or_none,
    to_micros,
    to_micros_or_none,
)
from homeport.storage.schema import UNPUSHED, twins

_GET: Final = query(select(twins).where(twins.c.device == named("device")))
_UNPUSHED: Final = query(
    select(twins)
    .where(text(UNPUSHED), twins.c.device > named("after"))
    .order_by(twins.c.device)
    .limit(named("limit"))
    .offset(ZERO)
)
_PUT: Final = upsert(
    twins,
    key=["device"],
    change=[column.name for column in twins.columns if not column.primary_key],
    absent=Code.DEVICE_UNKNOWN,
)


class SqlTwins:
    """The port `Twins`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, device: DeviceId) -> Twin | None:
        """Return a device's."""
        row = await self._connection.row(_GET, {"device": str(device)})
        return _twin(row) if row else None

    async def put(self, twin: Twin) -> None:
        """Keep it instead of an earlier one."""
        values = {
            "device": str(twin.device),
            "tenant": twin.tenant,
            "desired": to_text(twin.desired),
            "version": twin.version,
            "changed_at": to_micros(twin.changed_at),
            "pushed": twin.pushed,
            "kept_for": twin.kept_for,
            "reported": to_text(twin.reported),
            "reported_at": to_micros_or_none(twin.reported_at),
            "series": twin.series,
            "counter": twin.counter,
            "applied": twin.applied,
        }
        await self._connection.run(_PUT, values)

    async def unpushed(self, *, after: DeviceId | None, limit: int) -> Sequence[Twin]:
        """Return those whose version the broker does not have yet, by device, beyond `after`."""
        values = {"after": str(after) if after else "", "limit": limit}
        return [_twin(row) for row in await self._connection.rows(_UNPUSHED, values)]


def _twin(row: Row) -> Twin:
    device, tenant, desired, version, changed_at, pushed, kept_for, reported, *rest = row
    reported_at, series, counter, applied = rest
    return Twin(
        device=DeviceId.parse(device),
        tenant=tenant,
        desired=to_document(desired),
        version=version,
        changed_at=to_instant(changed_at),
        pushed=pushed,
        kept_for=kept_for,
        reported=to_document(reported),
        reported_at=to_instant_or_none(reported_at),
        series=series,
        counter=counter,
        applied=applied,
    )
