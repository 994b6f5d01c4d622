# SPDX-License-Identifier: Apache-2.0
"""The heads of the chain over the audit trail."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import func, select

from homeport.provisioning.ports import SealedHead
from homeport.storage.compiled import ZERO, addition, named, query
from homeport.storage.connection import Connection
from homeport.storage.schema import audit_heads

_LATEST: Final = query(
    select(audit_heads).where(
        audit_heads.c.number == select(func.max(audit_heads.c.number)).scalar_subquery()
    )
)
_BEYOND: Final = query(
    select(audit_heads)
    .where(audit_heads.c.number > named("number"))
    .order_by(audit_heads.c.number)
    .limit(named("limit"))
    .offset(ZERO)
)
_ADD: Final = addition(audit_heads)


class SqlAuditHeads:
    """The port `AuditHeads`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def latest(self) -> SealedHead | None:
        """Return the head with the highest number."""
        row = await self._connection.row(_LATEST, {})
        return SealedHead(*row) if row else None

    async def beyond(self, number: int, *, limit: int) -> Sequence[SealedHead]:
        """Return heads with higher numbers, in order."""
        values = {"number": number, "limit": limit}
        return [SealedHead(*row) for row in await self._connection.rows(_BEYOND, values)]

    async def add(self, head: SealedHead) -> None:
        """Keep one more."""
        await self._connection.run(_ADD, asdict(head))
