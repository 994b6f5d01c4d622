# SPDX-License-Identifier: Apache-2.0
"""Who owns devices."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, update

from homeport.domain.tenant import Tenant
from homeport.storage.compiled import ZERO, addition, named, query
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.schema import tenants

_GET: Final = query(select(tenants).where(tenants.c.name == named("name")))
_ALL: Final = query(select(tenants).order_by(tenants.c.name))
_PAGE: Final = query(
    select(tenants)
    .where(tenants.c.name > named("after"))
    .order_by(tenants.c.name)
    .limit(named("limit"))
    .offset(ZERO)
)
_ADD: Final = addition(tenants)
_CHANGE: Final = query(
    update(tenants)
    .where(tenants.c.name == named("this"))
    .values(title=named("title"), default_upstream=named("default_upstream"))
)


class SqlTenants:
    """The port `Tenants`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, name: str) -> Tenant | None:
        """Return one by its name."""
        row = await self._connection.row(_GET, {"name": name})
        return _tenant(row) if row else None

    async def all(self) -> Sequence[Tenant]:
        """Return all, by name."""
        return [_tenant(row) for row in await self._connection.rows(_ALL, {})]

    async def page(self, *, after: str | None, limit: int) -> Sequence[Tenant]:
        """Return some of them, by name, beyond `after`."""
        values = {"after": after or "", "limit": limit}
        return [_tenant(row) for row in await self._connection.rows(_PAGE, values)]

    async def add(self, tenant: Tenant) -> None:
        """Add one, or HomeportError(ALREADY_EXISTS)."""
        values = {
            "name": tenant.name,
            "title": tenant.title,
            "default_upstream": tenant.default_upstream,
            "added_at": to_micros(tenant.added_at),
        }
        await self._connection.run(_ADD, values)

    async def change(self, tenant: Tenant) -> None:
        """Change title and default upstream."""
        values = {
            "this": tenant.name,
            "title": tenant.title,
            "default_upstream": tenant.default_upstream,
        }
        await self._connection.run(_CHANGE, values)


def _tenant(row: Row) -> Tenant:
    name, title, default_upstream, added_at = row
    return Tenant(
        name=name, title=title, default_upstream=default_upstream, added_at=to_instant(added_at)
    )
