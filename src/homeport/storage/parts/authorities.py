# SPDX-License-Identifier: Apache-2.0
"""Whose device identities are believed."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from homeport.provisioning.ports import Authority
from homeport.storage.compiled import addition, named, query
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.schema import authorities

_GET: Final = query(select(authorities).where(authorities.c.id == named("id")))
_ALL: Final = query(select(authorities).order_by(authorities.c.id))
_ADD: Final = addition(authorities)


class SqlAuthorities:
    """The port `Authorities`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, authority: str) -> Authority | None:
        """Return one by its id."""
        row = await self._connection.row(_GET, {"id": authority})
        return _authority(row) if row else None

    async def all(self) -> Sequence[Authority]:
        """Return all of them, by id."""
        return [_authority(row) for row in await self._connection.rows(_ALL, {})]

    async def add(self, authority: Authority) -> None:
        """Trust one more, or HomeportError(ALREADY_EXISTS)."""
        values = {
            "id": authority.id,
            "name": authority.name,
            "anchor": authority.anchor,
            "trusted_at": to_micros(authority.trusted_at),
        }
        await self._connection.run(_ADD, values)


def _authority(row: Row) -> Authority:
    authority, name, anchor, trusted_at = row
    return Authority(id=authority, name=name, anchor=anchor, trusted_at=to_instant(trusted_at))
