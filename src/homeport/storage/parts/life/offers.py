# SPDX-License-Identifier: Apache-2.0
"""Devices that are, or were, offered to other tenants."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import literal_column, select

from homeport.domain.device import DeviceId
from homeport.domain.life.offer import Offer, OfferState
from homeport.errors import Code
from homeport.storage.compiled import ZERO, Statement, named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import (
    to_instant,
    to_instant_or_none,
    to_micros,
    to_micros_or_none,
)
from homeport.storage.schema import offers

LAST: Final = "g"
"""Beyond every id, which is hexadecimal."""


def _is(state: OfferState) -> Any:
    return offers.c.state == literal_column(f"'{state.value}'")


def _page(*conditions: Any) -> Statement:
    return query(
        select(offers)
        .where(offers.c.id < named("after"), *conditions)
        .order_by(offers.c.id.desc())
        .limit(named("limit"))
        .offset(ZERO)
    )


_ALL: Final = _page()
_FROM: Final = _page(offers.c.seller == named("tenant"))
_TO: Final = _page(offers.c.buyer == named("tenant"))
_GET: Final = query(select(offers).where(offers.c.id == named("id")))
_OPEN_OF: Final = query(
    select(offers).where(offers.c.device == named("device"), _is(OfferState.OPEN))
)
_WITH_CODE: Final = query(
    select(offers).where(offers.c.code_hash == named("code_hash"), _is(OfferState.OPEN))
)
_OVERDUE: Final = query(
    select(offers)
    .where(offers.c.expires_at <= named("now"), _is(OfferState.OPEN))
    .limit(named("limit"))
    .offset(ZERO)
)
_ACCEPTED: Final = query(
    select(offers)
    .where(offers.c.ended_at > named("at"), _is(OfferState.ACCEPTED))
    .order_by(offers.c.ended_at)
)
_PUT: Final = upsert(offers, key=["id"], change=["state", "ended_at"], absent=Code.DEVICE_UNKNOWN)


class SqlOffers:
    """The port `Offers`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, offer: str) -> Offer | None:
        """Return one by its id."""
        row = await self._connection.row(_GET, {"id": offer})
        return _to_offer(row) if row else None

    async def open_of(self, device: DeviceId) -> Offer | None:
        """Return the device's open one."""
        row = await self._connection.row(_OPEN_OF, {"device": str(device)})
        return _to_offer(row) if row else None

    async def with_code(self, code_hash: bytes) -> Offer | None:
        """Return the open one that has this code."""
        row = await self._connection.row(_WITH_CODE, {"code_hash": code_hash})
        return _to_offer(row) if row else None

    async def concerning(
        self, tenants: Collection[str] | None, *, after: str, limit: int
    ) -> Sequence[Offer]:
        """Return those from or to the tenants, newest first."""
        values: dict[str, Any] = {"after": after or LAST, "limit": limit}
        if tenants is None:
            return [_to_offer(row) for row in await self._connection.rows(_ALL, values)]
        found: dict[str, Offer] = {}
        for tenant in tenants:
            for statement in (_FROM, _TO):
                rows = await self._connection.rows(statement, values | {"tenant": tenant})
                found |= {row[0]: _to_offer(row) for row in rows}
        return sorted(found.values(), key=lambda offer: offer.id, reverse=True)[:limit]

    async def overdue(self, now: datetime, *, limit: int) -> Sequence[Offer]:
        """Return open ones whose time is over."""
        values = {"now": to_micros(now), "limit": limit}
        return [_to_offer(row) for row in await self._connection.rows(_OVERDUE, values)]

    async def accepted_since(self, at: datetime) -> Sequence[Offer]:
        """Return those accepted later than that."""
        rows = await self._connection.rows(_ACCEPTED, {"at": to_micros(at)})
        return [_to_offer(row) for row in rows]

    async def put(self, offer: Offer) -> None:
        """Add it, or change its state."""
        values = {
            "id": offer.id,
            "device": str(offer.device),
            "seller": offer.seller,
            "buyer": offer.buyer,
            "code_hash": offer.code_hash,
            "offered_by": offer.offered_by,
            "offered_at": to_micros(offer.offered_at),
            "expires_at": to_micros(offer.expires_at),
            "state": offer.state.value,
            "ended_at": to_micros_or_none(offer.ended_at),
        }
        await self._connection.run(_PUT, values)


def _to_offer(row: Row) -> Offer:
    identifier, device, seller, buyer, code_hash, by, offered_at, expires_at, state, ended_at = row
    return Offer(
        id=identifier,
        device=DeviceId.parse(device),
        seller=seller,
        buyer=buyer,
        code_hash=code_hash,
        offered_by=by,
        offered_at=to_instant(offered_at),
        expires_at=to_instant(expires_at),
        state=OfferState(state),
        ended_at=to_instant_or_none(ended_at),
    )
