# SPDX-License-Identifier: Apache-2.0
"""Names, tags, locations and attributes of devices."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import delete, or_, select

from homeport.domain.context.context import Context, Location
from homeport.domain.device import DeviceId
from homeport.errors import Code
from homeport.storage.compiled import ZERO, addition, named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.documents import to_document, to_text
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.schema import context_tags, contexts

LAST: Final = "\U0010ffff"
"""Sorts behind every character that prints: the end of what begins alike."""

_COLUMNS: Final = [
    contexts.c[name]
    for name in (
        "device",
        "tenant",
        "name",
        "tags",
        "place",
        "latitude",
        "longitude",
        "attributes",
        "version",
        "changed_at",
    )
]
_GET: Final = query(select(*_COLUMNS).where(contexts.c.device == named("device")))
_PAGE: Final = query(
    select(*_COLUMNS)
    .where(contexts.c.tenant == named("tenant"), contexts.c.device > named("after"))
    .order_by(contexts.c.device)
    .limit(named("limit"))
    .offset(ZERO)
)
_TAGGED: Final = query(
    select(*_COLUMNS)
    .join_from(context_tags, contexts, contexts.c.device == context_tags.c.device)
    .where(
        context_tags.c.tenant == named("tenant"),
        context_tags.c.tag == named("tag"),
        context_tags.c.device > named("after"),
    )
    .order_by(context_tags.c.device)
    .limit(named("limit"))
    .offset(ZERO)
)
_NAMED: Final = query(
    select(*_COLUMNS)
    .where(
        contexts.c.tenant == named("tenant"),
        contexts.c.name_key >= named("first"),
        contexts.c.name_key < named("end"),
        or_(contexts.c.name_key != named("first"), contexts.c.device > named("after")),
    )
    .order_by(contexts.c.name_key, contexts.c.device)
    .limit(named("limit"))
    .offset(ZERO)
)
_PUT: Final = upsert(
    contexts,
    key=["device"],
    change=[column.name for column in contexts.columns if not column.primary_key],
    absent=Code.DEVICE_UNKNOWN,
)
_REMOVE: Final = query(delete(contexts).where(contexts.c.device == named("device")))
_TAG: Final = addition(context_tags)
_UNTAG: Final = query(delete(context_tags).where(context_tags.c.device == named("device")))

_read_tags = msgspec.json.Decoder(tuple[str, ...]).decode


class SqlContexts:
    """The port `Contexts`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, device: DeviceId) -> Context | None:
        """Return a device's."""
        row = await self._connection.row(_GET, {"device": str(device)})
        return _context(row) if row else None

    async def put(self, context: Context) -> None:
        """Keep it instead of an earlier one."""
        device = str(context.device)
        values = {
            "device": device,
            "tenant": context.tenant,
            "name": context.name,
            "name_key": context.name.casefold(),
            "tags": msgspec.json.encode(context.tags).decode(),
            "place": context.location.text,
            "latitude": context.location.latitude,
            "longitude": context.location.longitude,
            "attributes": to_text(context.attributes),
            "version": context.version,
            "changed_at": to_micros(context.changed_at),
        }
        await self._connection.run(_UNTAG, {"device": device})
        await self._connection.run(_PUT, values)
        rows = [{"tenant": context.tenant, "tag": tag, "device": device} for tag in context.tags]
        await self._connection.run_many(_TAG, rows)

    async def remove(self, device: DeviceId) -> None:
        """Forget a device's."""
        for statement in (_UNTAG, _REMOVE):
            await self._connection.run(statement, {"device": str(device)})

    async def page(self, tenant: str, *, after: DeviceId | None, limit: int) -> Sequence[Context]:
        """Return a tenant's, by device, beyond `after`."""
        values = {"tenant": tenant, "after": str(after) if after else "", "limit": limit}
        return [_context(row) for row in await self._connection.rows(_PAGE, values)]

    async def tagged(
        self, tenant: str, tag: str, *, after: DeviceId | None, limit: int
    ) -> Sequence[Context]:
        """Return those of a tenant's that have the tag, by device, beyond `after`."""
        values = {
            "tenant": tenant,
            "tag": tag,
            "after": str(after) if after else "",
            "limit": limit,
        }
        return [_context(row) for row in await self._connection.rows(_TAGGED, values)]

    async def named(
        self, tenant: str, beginning: str, *, after: DeviceId | None, limit: int
    ) -> Sequence[Context]:
        """Return those of a tenant's whose name begins so, by name and device, beyond `after`."""
        key = beginning.casefold()
        seen = await self._seen(tenant, after) if after else None
        values = {
            "tenant": tenant,
            "first": seen.name.casefold() if seen else key,
            "end": key + LAST,
            "after": str(seen.device) if seen else "",
            "limit": limit,
        }
        return [_context(row) for row in await self._connection.rows(_NAMED, values)]

    async def _seen(self, tenant: str, device: DeviceId) -> Context | None:
        """Return the page's last one. Where another tenant's stands in the order is not told."""
        seen = await self.get(device)
        return seen if seen is not None and seen.tenant == tenant else None


def _context(row: Row) -> Context:
    device, tenant, name, tags, place, latitude, longitude, attributes, version, changed_at = row
    return Context(
        device=DeviceId.parse(device),
        tenant=tenant,
        name=name,
        tags=_read_tags(tags),
        location=Location(text=place, latitude=latitude, longitude=longitude),
        attributes=to_document(attributes),
        version=version,
        changed_at=to_instant(changed_at),
    )
