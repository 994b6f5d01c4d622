# SPDX-License-Identifier: Apache-2.0
"""Codes that were given out."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from homeport.domain.membership import Invitation, Purpose, Settled
from homeport.domain.people import Role
from homeport.errors import Code
from homeport.storage.compiled import ZERO, Values, named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import (
    to_instant,
    to_instant_or_none,
    to_micros,
    to_micros_or_none,
)
from homeport.storage.schema import invitations

_GET: Final = query(select(invitations).where(invitations.c.id == named("id")))
_WITH_CODE: Final = query(select(invitations).where(invitations.c.code_hash == named("code_hash")))
_OF_TENANT: Final = query(
    select(invitations)
    .where(
        invitations.c.tenant.is_not_distinct_from(named("tenant")),
        invitations.c.id > named("after"),
    )
    .order_by(invitations.c.id)
    .limit(named("limit"))
    .offset(ZERO)
)
_UNSETTLED: Final = query(
    select(invitations)
    .where(invitations.c.maker == named("maker"), invitations.c.settled.is_(None))
    .order_by(invitations.c.id)
)
_PUT: Final = upsert(
    invitations, key=["id"], change=["settled", "settled_at"], absent=Code.NOT_FOUND
)


class SqlInvitations:
    """The port `Invitations`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, invitation: str) -> Invitation | None:
        """Return one by its id."""
        row = await self._connection.row(_GET, {"id": invitation})
        return _invitation(row) if row else None

    async def with_code(self, code_hash: str) -> Invitation | None:
        """Return the one that this code belongs to."""
        row = await self._connection.row(_WITH_CODE, {"code_hash": code_hash})
        return _invitation(row) if row else None

    async def of_tenant(
        self, tenant: str | None, *, after: str | None, limit: int
    ) -> Sequence[Invitation]:
        """Return a tenant's (None: those of no tenant) by id, beyond `after`."""
        values = {"tenant": tenant, "after": after or "", "limit": limit}
        return [_invitation(row) for row in await self._connection.rows(_OF_TENANT, values)]

    async def unsettled_by(self, maker: str) -> Sequence[Invitation]:
        """Return those that an account answers for and that have not been settled, by id."""
        rows = await self._connection.rows(_UNSETTLED, {"maker": maker})
        return [_invitation(row) for row in rows]

    async def put(self, invitation: Invitation) -> None:
        """Add it, or settle the one with this id."""
        await self._connection.run(_PUT, _values(invitation))


def _values(invitation: Invitation) -> Values:
    return {
        "id": invitation.id,
        "code_hash": invitation.code_hash,
        "purpose": invitation.purpose.value,
        "name": invitation.name,
        "tenant": invitation.tenant,
        "role": invitation.role.value if invitation.role else None,
        "account": invitation.account,
        "invited_by": invitation.invited_by,
        "invited_at": to_micros(invitation.invited_at),
        "expires_at": to_micros(invitation.expires_at),
        "settled": invitation.settled.value if invitation.settled else None,
        "settled_at": to_micros_or_none(invitation.settled_at),
        "maker": invitation.maker,
    }


def _invitation(row: Row) -> Invitation:
    identifier, code_hash, purpose, name, tenant, role, account, *rest = row
    invited_by, invited_at, expires_at, settled, settled_at, maker = rest
    return Invitation(
        id=identifier,
        code_hash=code_hash,
        purpose=Purpose(purpose),
        name=name,
        tenant=tenant,
        role=Role(role) if role else None,
        account=account,
        invited_by=invited_by,
        maker=maker,
        invited_at=to_instant(invited_at),
        expires_at=to_instant(expires_at),
        settled=Settled(settled) if settled else None,
        settled_at=to_instant_or_none(settled_at),
    )
