# SPDX-License-Identifier: Apache-2.0
"""Everything that happened, in order.

SQLite gives a new event the highest cursor there is, plus one, and lets one writer write at a time:
what commits later stands later, and an undone transaction leaves no gap. So whatever a reader sees
is followed by everything that it does not see yet, and may be chained.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import LargeBinary, cast, func, select

from homeport.domain.audit import AuditEvent, Name, Wanted
from homeport.domain.device import DeviceId
from homeport.domain.trail.chain import KeptEvent
from homeport.errors import MalformedError
from homeport.storage.compiled import ZERO, Values, addition, named, query
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.parts.trail.search import search
from homeport.storage.schema import audit_events

_BEYOND: Final = (
    select(audit_events)
    .where(audit_events.c.cursor > named("after"))
    .order_by(audit_events.c.cursor)
    .limit(named("limit"))
    .offset(ZERO)
)
_SINCE: Final = query(_BEYOND)
_NAMES_MAX: Final = 32
_NAMED: Final = [f"name{number}" for number in range(_NAMES_MAX)]
_NEWS: Final = query(_BEYOND.where(audit_events.c.name.in_([named(name) for name in _NAMED])))
_OF_DEVICE: Final = query(_BEYOND.where(audit_events.c.device == named("device")))
_LAST: Final = query(select(func.max(audit_events.c.cursor)))
_RECORD: Final = addition(audit_events, without=["cursor"])

_TEXTS: Final = frozenset({"name", "actor", "tenant", "device", "enrolment", "facts"})
_KEPT: Final = query(
    _BEYOND.with_only_columns(
        # As octets: text that a hostile hand left there need not be Unicode.
        *(cast(c, LargeBinary) if c.name in _TEXTS else c for c in audit_events.columns)
    )
)

# Sorted, so that the text is the one that the chain's description gives.
_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(dict[str, str | int]).decode


class SqlAuditTrail:
    """The port `AuditTrail`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def record(self, *events: AuditEvent) -> None:
        """Append; the cursors are given by the database."""
        await self._connection.run_many(_RECORD, [_values(event) for event in events])

    async def of_device(
        self, device: DeviceId, *, after: int = 0, limit: int = 1000
    ) -> Sequence[AuditEvent]:
        """Return a device's timeline beyond the cursor, in order."""
        values = {"device": str(device), "after": after, "limit": limit}
        return [_event(row) for row in await self._connection.rows(_OF_DEVICE, values)]

    async def since(
        self, cursor: int, *, names: Collection[Name] = (), limit: int = 1000
    ) -> Sequence[AuditEvent]:
        """Return what came after the cursor, in order; only these names (at most 32) if any."""
        values: dict[str, object] = {"after": cursor, "limit": limit}
        if not names:
            return [_event(row) for row in await self._connection.rows(_SINCE, values)]
        words = [*(name.value for name in names), *[""] * (_NAMES_MAX - len(names))]
        values |= zip(_NAMED, words, strict=True)
        return [_event(row) for row in await self._connection.rows(_NEWS, values)]

    async def last(self) -> int:
        """Return the cursor of the newest event, 0 when there is none."""
        row = await self._connection.row(_LAST, {})
        return int(row[0] or 0) if row else 0

    async def search(
        self, wanted: Wanted, *, after: int | None, limit: int, newest_first: bool = False
    ) -> Sequence[AuditEvent]:
        """Return events that are wanted, beyond the cursor `after` in the order asked for."""
        rows = await search(
            self._connection, wanted, after=after, limit=limit, newest_first=newest_first
        )
        return [_event(row) for row in rows]

    async def kept(self, after: int, *, limit: int) -> Sequence[KeptEvent]:
        """Return events as they are kept, beyond the cursor, in order."""
        rows = await self._connection.rows(_KEPT, {"after": after, "limit": limit})
        return [KeptEvent._make(map(_text, row)) for row in rows]


def _text(value: Any) -> Any:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _event(row: Row) -> AuditEvent:
    cursor, name, at, actor, tenant, device, enrolment, facts = row
    return AuditEvent(
        name=Name(name),
        at=to_instant(at),
        actor=actor,
        tenant=tenant,
        device=None if device is None else DeviceId.parse(device),
        enrolment=enrolment,
        facts=_decode(facts),
        cursor=cursor,
    )


def _values(event: AuditEvent) -> Values:
    try:
        facts = _encode(event.facts).decode()
    except UnicodeEncodeError as error:
        raise MalformedError(f"a fact of {event.name} is not Unicode") from error
    return {
        "name": event.name.value,
        "at": to_micros(event.at),
        "actor": event.actor,
        "tenant": event.tenant,
        "device": None if event.device is None else str(event.device),
        "enrolment": event.enrolment,
        "facts": facts,
    }
