# SPDX-License-Identifier: Apache-2.0
"""Who signs in, and who somebody is at an OpenID provider."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, func, select

from homeport.domain.account import Account, Identity
from homeport.errors import Code
from homeport.storage.compiled import ONE, ZERO, addition, named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import (
    to_instant,
    to_instant_or_none,
    to_micros,
    to_micros_or_none,
)
from homeport.storage.schema import accounts, identities

_GET: Final = query(select(accounts).where(accounts.c.id == named("id")))
_NAMED: Final = query(select(accounts).where(accounts.c.name == named("name")))
_PAGE: Final = query(
    select(accounts)
    .where(accounts.c.name > named("after"))
    .order_by(accounts.c.name)
    .limit(named("limit"))
    .offset(ZERO)
)
_OPERATORS: Final = query(
    select(func.count())
    .select_from(accounts)
    .where(accounts.c.is_operator == ONE, accounts.c.disabled_at.is_(None))
)
_PUT: Final = upsert(
    accounts,
    key=["id"],
    change=["name", "password_hash", "is_operator", "disabled_at", "has_founded"],
    absent=Code.NOT_FOUND,
)

_IDENTITY: Final = query(
    select(identities).where(
        identities.c.issuer == named("issuer"), identities.c.subject == named("subject")
    )
)
_OF_ACCOUNT: Final = query(
    select(identities)
    .where(identities.c.account == named("account"))
    .order_by(identities.c.issuer, identities.c.subject)
)
_ADD: Final = addition(identities)
_REMOVE: Final = query(
    delete(identities).where(
        identities.c.issuer == named("issuer"), identities.c.subject == named("subject")
    )
)


class SqlAccounts:
    """The port `Accounts`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, account: str) -> Account | None:
        """Return one by its id."""
        row = await self._connection.row(_GET, {"id": account})
        return account_of(row) if row else None

    async def named(self, name: str) -> Account | None:
        """Return one by its sign-in name."""
        row = await self._connection.row(_NAMED, {"name": name})
        return account_of(row) if row else None

    async def page(self, *, after: str | None, limit: int) -> Sequence[Account]:
        """Return accounts by sign-in name, beyond the name `after`."""
        values = {"after": after or "", "limit": limit}
        return [account_of(row) for row in await self._connection.rows(_PAGE, values)]

    async def operators(self) -> int:
        """Return how many accounts operate the platform and are not disabled."""
        row = await self._connection.row(_OPERATORS, {})
        return int(row[0]) if row else 0

    async def put(self, account: Account) -> None:
        """Add it, or change the one with this id."""
        values = {
            "id": account.id,
            "name": account.name,
            "password_hash": account.password_hash,
            "is_operator": int(account.is_operator),
            "made_at": to_micros(account.made_at),
            "disabled_at": to_micros_or_none(account.disabled_at),
            "has_founded": int(account.has_founded),
        }
        await self._connection.run(_PUT, values)


class SqlIdentities:
    """The port `Identities`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, issuer: str, subject: str) -> Identity | None:
        """Return one by what the provider says."""
        row = await self._connection.row(_IDENTITY, {"issuer": issuer, "subject": subject})
        return _identity(row) if row else None

    async def of_account(self, account: str) -> Sequence[Identity]:
        """Return an account's, by issuer and subject."""
        rows = await self._connection.rows(_OF_ACCOUNT, {"account": account})
        return [_identity(row) for row in rows]

    async def add(self, identity: Identity) -> None:
        """Add one, or HomeportError(ALREADY_EXISTS, NOT_FOUND)."""
        values = {
            "issuer": identity.issuer,
            "subject": identity.subject,
            "account": identity.account,
            "linked_at": to_micros(identity.linked_at),
        }
        await self._connection.run(_ADD, values)

    async def remove(self, identity: Identity) -> None:
        """Remove it."""
        values = {"issuer": identity.issuer, "subject": identity.subject}
        await self._connection.run(_REMOVE, values)


def account_of(row: Row) -> Account:
    """Read an account from all columns of its row."""
    identifier, name, password_hash, is_operator, made_at, disabled_at, has_founded = row
    return Account(
        id=identifier,
        name=name,
        password_hash=password_hash,
        is_operator=bool(is_operator),
        made_at=to_instant(made_at),
        disabled_at=to_instant_or_none(disabled_at),
        has_founded=bool(has_founded),
    )


def _identity(row: Row) -> Identity:
    issuer, subject, account, linked_at = row
    return Identity(
        issuer=issuer, subject=subject, account=account, linked_at=to_instant(linked_at)
    )
