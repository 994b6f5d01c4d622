# SPDX-License-Identifier: Apache-2.0
"""Where devices can be sent."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from homeport.domain.upstream import Upstream, UpstreamKind
from homeport.storage.compiled import addition, named, query
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.schema import upstreams

_GET: Final = query(select(upstreams).where(upstreams.c.name == named("name")))
_ALL: Final = query(select(upstreams).order_by(upstreams.c.name))
_ADD: Final = addition(upstreams)


class SqlUpstreams:
    """The port `Upstreams`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, name: str) -> Upstream | None:
        """Return one by its name."""
        row = await self._connection.row(_GET, {"name": name})
        return _upstream(row) if row else None

    async def all(self) -> Sequence[Upstream]:
        """Return all, by name."""
        return [_upstream(row) for row in await self._connection.rows(_ALL, {})]

    async def add(self, upstream: Upstream) -> None:
        """Add one, or HomeportError(ALREADY_EXISTS)."""
        values = {
            "name": upstream.name,
            "kind": upstream.kind.value,
            "url": upstream.url,
            "anchor": upstream.anchor,
            "added_at": to_micros(upstream.added_at),
        }
        await self._connection.run(_ADD, values)


def _upstream(row: Row) -> Upstream:
    name, kind, url, anchor, added_at = row
    return Upstream(
        name=name, kind=UpstreamKind(kind), url=url, anchor=anchor, added_at=to_instant(added_at)
    )
