# SPDX-License-Identifier: Apache-2.0
"""Who belongs to which tenant."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnClause, delete, func, literal_column, select

from homeport.domain.account import Account
from homeport.domain.membership import Member
from homeport.domain.people import Role
from homeport.errors import Code
from homeport.storage.compiled import ZERO, named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.parts.people.accounts import account_of
from homeport.storage.schema import accounts, members

_ADMIN: Final[ColumnClause[str]] = literal_column(f"'{Role.ADMIN.value}'")
_THIS: Final = (members.c.tenant == named("tenant"), members.c.account == named("account"))

_GET: Final = query(select(members).where(*_THIS))
_OF_TENANT: Final = query(
    select(members, accounts)
    .join(accounts, accounts.c.id == members.c.account)
    .where(members.c.tenant == named("tenant"), accounts.c.name > named("after"))
    .order_by(accounts.c.name)
    .limit(named("limit"))
    .offset(ZERO)
)
_OF_ACCOUNT: Final = query(
    select(members).where(members.c.account == named("account")).order_by(members.c.tenant)
)
_ADMINS: Final = query(
    select(func.count())
    .select_from(members.join(accounts, accounts.c.id == members.c.account))
    .where(
        members.c.tenant == named("tenant"),
        members.c.role == _ADMIN,
        accounts.c.disabled_at.is_(None),
    )
)
_PUT: Final = upsert(members, key=["tenant", "account"], change=["role"], absent=Code.NOT_FOUND)
_REMOVE: Final = query(delete(members).where(*_THIS))

_COLUMNS: Final = len(members.columns)


class SqlMembers:
    """The port `Members`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, tenant: str, account: str) -> Member | None:
        """Return one."""
        row = await self._connection.row(_GET, {"tenant": tenant, "account": account})
        return _member(row) if row else None

    async def of_tenant(
        self, tenant: str, *, after: str | None, limit: int
    ) -> Sequence[tuple[Member, Account]]:
        """Return a tenant's members with their accounts, by sign-in name, beyond `after`."""
        values = {"tenant": tenant, "after": after or "", "limit": limit}
        rows = await self._connection.rows(_OF_TENANT, values)
        return [(_member(row[:_COLUMNS]), account_of(row[_COLUMNS:])) for row in rows]

    async def of_account(self, account: str) -> Sequence[Member]:
        """Return an account's memberships, by tenant."""
        rows = await self._connection.rows(_OF_ACCOUNT, {"account": account})
        return [_member(row) for row in rows]

    async def admins(self, tenant: str) -> int:
        """Return how many admins the tenant has whose accounts are not disabled."""
        row = await self._connection.row(_ADMINS, {"tenant": tenant})
        return int(row[0]) if row else 0

    async def put(self, member: Member) -> None:
        """Add it or change its role, or HomeportError(NOT_FOUND)."""
        values = {
            "tenant": member.tenant,
            "account": member.account,
            "role": member.role.value,
            "joined_at": to_micros(member.joined_at),
        }
        await self._connection.run(_PUT, values)

    async def remove(self, member: Member) -> None:
        """Remove it."""
        await self._connection.run(_REMOVE, {"tenant": member.tenant, "account": member.account})


def _member(row: Row) -> Member:
    tenant, account, role, joined_at = row
    return Member(tenant=tenant, account=account, role=Role(role), joined_at=to_instant(joined_at))
