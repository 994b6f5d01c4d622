# SPDX-License-Identifier: Apache-2.0
"""Imports of many sales records, and how far they have come."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select, text, update

from homeport.domain.ownership import ImportState, SalesImport
from homeport.errors import Code, HomeportError
from homeport.storage.compiled import ONE, ZERO, addition, named, query
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.schema import sales_imports
from homeport.storage.schema.sales import READING

ABANDONED_MAX: Final = 100
"""Imports given up and not yet swept; the next sweep takes more."""

_ADD: Final = addition(sales_imports, without=["number"])
_ONE: Final = query(select(sales_imports).where(sales_imports.c.number == named("number")))
_LATEST: Final = query(
    select(sales_imports)
    .where(sales_imports.c.digest == named("digest"))
    .order_by(sales_imports.c.number.desc())
    .limit(ONE)
    .offset(ZERO)
)
_ABANDONED: Final = query(
    select(sales_imports)
    .where(text(READING), sales_imports.c.changed_at < named("before"))
    .order_by(sales_imports.c.changed_at)
    .limit(named("limit"))
    .offset(ZERO)
)
_PUT: Final = query(
    update(sales_imports)
    .where(sales_imports.c.number == named("key"))
    .values(state=named("state"), changed_at=named("changed_at"))
)


class SqlSalesImports:
    """The port `SalesImports`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def begin(self, digest: str, source: str, after: int, now: datetime) -> SalesImport:
        """Begin an import; it gets a number."""
        values = {
            "digest": digest,
            "source": source,
            "state": ImportState.READING.value,
            "after": after,
            "changed_at": to_micros(now),
        }
        await self._connection.run(_ADD, values)
        begun = await self.latest(digest)
        if begun is None:
            raise HomeportError(Code.STORAGE_UNAVAILABLE, "the import that was begun is not there")
        return begun

    async def get(self, number: int) -> SalesImport | None:
        """Return one by its number."""
        row = await self._connection.row(_ONE, {"number": number})
        return _import(row) if row else None

    async def latest(self, digest: str) -> SalesImport | None:
        """Return the newest import of this content."""
        row = await self._connection.row(_LATEST, {"digest": digest})
        return _import(row) if row else None

    async def put(self, imported: SalesImport) -> None:
        """Change state and time of the one with this number."""
        values = {
            "key": imported.number,
            "state": imported.state.value,
            "changed_at": to_micros(imported.changed_at),
        }
        await self._connection.run(_PUT, values)

    async def abandoned(self, before: datetime) -> Sequence[SalesImport]:
        """Return those that are being read and were not touched since (at most 100)."""
        values = {"before": to_micros(before), "limit": ABANDONED_MAX}
        return [_import(row) for row in await self._connection.rows(_ABANDONED, values)]


def _import(row: Row) -> SalesImport:
    number, digest, source, state, after, changed_at = row
    return SalesImport(
        number=number,
        digest=digest,
        source=source,
        state=ImportState(state),
        after=after,
        changed_at=to_instant(changed_at),
    )
