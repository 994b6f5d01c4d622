# SPDX-License-Identifier: Apache-2.0
"""Claims by code."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, text

from homeport.domain.claim import Claim, ClaimState
from homeport.domain.device import DeviceId
from homeport.errors import Code
from homeport.storage.compiled import ZERO, named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import (
    to_instant,
    to_instant_or_none,
    to_micros,
    to_micros_or_none,
)
from homeport.storage.schema import claims
from homeport.storage.schema.claims import PENDING

_ALL: Final = select(claims)
_GET: Final = query(_ALL.where(claims.c.id == named("id")))
_PENDING: Final = query(_ALL.where(claims.c.device == named("device"), text(PENDING)))
_BEYOND: Final = (
    _ALL.where(claims.c.id > named("after"), text(PENDING))
    .order_by(claims.c.id)
    .limit(named("limit"))
    .offset(ZERO)
)
_PAGE: Final = query(_BEYOND)
_PAGE_OF_TENANT: Final = query(_BEYOND.where(claims.c.tenant == named("tenant")))
_PUT: Final = upsert(claims, key=["id"], change=["state", "ended_at"], absent=Code.NOT_FOUND)


class SqlClaims:
    """The port `Claims`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, claim: str) -> Claim | None:
        """Return one by its id."""
        row = await self._connection.row(_GET, {"id": claim})
        return _claim(row) if row else None

    async def pending(self, device: DeviceId) -> Claim | None:
        """Return the device's pending claim."""
        row = await self._connection.row(_PENDING, {"device": str(device)})
        return _claim(row) if row else None

    async def page(self, tenant: str | None, *, after: str | None, limit: int) -> Sequence[Claim]:
        """Return pending claims of the tenant (None: of all), by id, beyond `after`."""
        statement = _PAGE if tenant is None else _PAGE_OF_TENANT
        values = {"tenant": tenant, "after": after or "", "limit": limit}
        return [_claim(row) for row in await self._connection.rows(statement, values)]

    async def put(self, claim: Claim) -> None:
        """Add it, or change the state of the one with this id."""
        values = {
            "id": claim.id,
            "device": str(claim.device),
            "tenant": claim.tenant,
            "actor": claim.actor,
            "claimed_at": to_micros(claim.claimed_at),
            "state": claim.state.value,
            "ended_at": to_micros_or_none(claim.ended_at),
        }
        await self._connection.run(_PUT, values)


def _claim(row: Row) -> Claim:
    identifier, device, tenant, actor, claimed_at, state, ended_at = row
    return Claim(
        id=identifier,
        device=DeviceId.parse(device),
        tenant=tenant,
        actor=actor,
        claimed_at=to_instant(claimed_at),
        state=ClaimState(state),
        ended_at=to_instant_or_none(ended_at),
    )
