# SPDX-License-Identifier: Apache-2.0
"""Keys of programs."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from homeport.domain.api_key import ApiKey
from homeport.domain.people import Permission
from homeport.errors import Code
from homeport.storage.compiled import Values, named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import (
    to_instant,
    to_instant_or_none,
    to_micros,
    to_micros_or_none,
)
from homeport.storage.schema import api_keys

_GET: Final = query(select(api_keys).where(api_keys.c.id == named("id")))
_OF_HOLDER: Final = query(
    select(api_keys)
    .where(
        api_keys.c.tenant.is_not_distinct_from(named("tenant")),
        api_keys.c.account.is_not_distinct_from(named("account")),
    )
    .order_by(api_keys.c.made_at, api_keys.c.id)
)
_UNREVOKED: Final = query(
    select(api_keys)
    .where(api_keys.c.maker == named("maker"), api_keys.c.revoked_at.is_(None))
    .order_by(api_keys.c.made_at, api_keys.c.id)
)
_PUT: Final = upsert(api_keys, key=["id"], change=["used_at", "revoked_at"], absent=Code.NOT_FOUND)


class SqlApiKeys:
    """The port `ApiKeys`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, key: str) -> ApiKey | None:
        """Return one by its id."""
        row = await self._connection.row(_GET, {"id": key})
        return _key(row) if row else None

    async def of_holder(self, *, tenant: str | None, account: str | None) -> Sequence[ApiKey]:
        """Return a tenant's, a person's or (both None) the platform's, oldest first."""
        values = {"tenant": tenant, "account": account}
        return [_key(row) for row in await self._connection.rows(_OF_HOLDER, values)]

    async def unrevoked_by(self, maker: str) -> Sequence[ApiKey]:
        """Return those that an account answers for and that are not revoked, oldest first."""
        return [_key(row) for row in await self._connection.rows(_UNREVOKED, {"maker": maker})]

    async def put(self, key: ApiKey) -> None:
        """Add it, or note its use or its end; HomeportError(NOT_FOUND) without its holder."""
        await self._connection.run(_PUT, _values(key))


def _values(key: ApiKey) -> Values:
    return {
        "id": key.id,
        "secret_hash": key.secret_hash,
        "title": key.title,
        "tenant": key.tenant,
        "account": key.account,
        "scopes": " ".join(sorted(key.scopes)),
        "made_by": key.made_by,
        "made_at": to_micros(key.made_at),
        "expires_at": to_micros_or_none(key.expires_at),
        "used_at": to_micros_or_none(key.used_at),
        "revoked_at": to_micros_or_none(key.revoked_at),
        "maker": key.maker,
    }


def _key(row: Row) -> ApiKey:
    identifier, secret_hash, title, tenant, account, scopes, made_by, *instants, maker = row
    made_at, expires_at, used_at, revoked_at = instants
    return ApiKey(
        id=identifier,
        secret_hash=secret_hash,
        title=title,
        tenant=tenant,
        account=account,
        scopes=frozenset(map(Permission, scopes.split())),
        made_by=made_by,
        maker=maker,
        made_at=to_instant(made_at),
        expires_at=to_instant_or_none(expires_at),
        used_at=to_instant_or_none(used_at),
        revoked_at=to_instant_or_none(revoked_at),
    )
