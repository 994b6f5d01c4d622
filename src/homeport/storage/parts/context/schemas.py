# SPDX-License-Identifier: Apache-2.0
"""What tenants expect of the attributes of their models."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import desc, select

from homeport.domain.context.schema import ModelSchema
from homeport.errors import Code
from homeport.storage.compiled import ZERO, addition, named, query
from homeport.storage.connection import Connection, Row
from homeport.storage.documents import to_document, to_text
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.schema import schemas

VERSIONS_MAX: Final = 100
"""Shown; older ones stay in the database."""

_VERSIONS: Final = query(
    select(schemas)
    .where(schemas.c.tenant == named("tenant"), schemas.c.model == named("model"))
    .order_by(desc(schemas.c.version))
    .limit(named("limit"))
    .offset(ZERO)
)
_ADD: Final = addition(schemas, absent=Code.TENANT_UNKNOWN)


class SqlSchemas:
    """The port `Schemas`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def latest(self, tenant: str, model: str) -> ModelSchema | None:
        """Return the version that counts."""
        found = await self._newest(tenant, model, 1)
        return found[0] if found else None

    async def add(self, schema: ModelSchema) -> None:
        """Keep a new version, or HomeportError(ALREADY_EXISTS)."""
        values = {
            "tenant": schema.tenant,
            "model": schema.model,
            "version": schema.version,
            "document": to_text(schema.document),
            "added_at": to_micros(schema.added_at),
            "added_by": schema.added_by,
        }
        await self._connection.run(_ADD, values)

    async def versions(self, tenant: str, model: str) -> Sequence[ModelSchema]:
        """Return all of a model, newest first."""
        return await self._newest(tenant, model, VERSIONS_MAX)

    async def _newest(self, tenant: str, model: str, limit: int) -> Sequence[ModelSchema]:
        values = {"tenant": tenant, "model": model, "limit": limit}
        return [_schema(row) for row in await self._connection.rows(_VERSIONS, values)]


def _schema(row: Row) -> ModelSchema:
    tenant, model, version, document, added_at, added_by = row
    return ModelSchema(
        tenant=tenant,
        model=model,
        version=version,
        document=to_document(document),
        added_at=to_instant(added_at),
        added_by=added_by,
    )
