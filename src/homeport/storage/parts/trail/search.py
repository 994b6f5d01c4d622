# SPDX-License-Identifier: Apache-2.0
"""Searching the audit trail: a statement for each combination of what is asked, compiled once.

What a tenant sees are two searches, each along an index: its own events, and those without a tenant
whose device is its own now. Their results are merged by cursor. The second goes by the devices of a
tenant that has few of them, so that a small tenant's question does not walk through what happened
to everybody's; a large tenant's walk soon meets its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import exists, literal_column, select

from homeport.domain.audit import Wanted
from homeport.storage.compiled import ONE, ZERO, Statement, named, query
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import to_micros
from homeport.storage.schema import audit_events, devices

_E: Final = audit_events.c
_BEGIN: Final = -(1 << 63)
_END: Final = (1 << 63) - 1


_ALL: Final = "all"
_OWN: Final = "own"
_OWN_DEVICES: Final = "own devices"
_OWNED: Final = "owned"
"""Without a tenant, of a device that is the tenant's now."""
_OF_FEW: Final = "of few devices"
"""The same, by the tenant's devices."""

FEW: Final = 1000
"""Devices; their events are found and sorted in some milliseconds."""

_MANY: Final = query(
    select(devices.c.id).where(devices.c.tenant == named("tenant")).limit(ONE).offset(named("few"))
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a search is made of, without its values."""

    viewer: str
    """_ALL, _OWN, _OWN_DEVICES, _OWNED or _OF_FEW."""
    names: int
    equals: frozenset[str]
    since: bool
    newest_first: bool


async def search(
    connection: Connection,
    wanted: Wanted,
    *,
    after: int | None,
    limit: int,
    newest_first: bool,
) -> Sequence[Row]:
    """Return the rows that are wanted, in the order asked for."""
    values, equals = _values(wanted)
    start = _END if newest_first else _BEGIN
    values |= {"after": start if after is None else after, "limit": limit}
    rest = (len(wanted.names), equals, wanted.since is not None, newest_first)
    if wanted.tenants is None:
        return await connection.rows(_statement(_Shape(_ALL, *rest)), values)
    parts = [
        await connection.rows(_statement(_Shape(viewer, *rest)), {**values, "tenant": tenant})
        for tenant in sorted(wanted.tenants)
        for viewer in (
            _OWN_DEVICES if tenant in wanted.devices_only_of else _OWN,
            await _of_owned(connection, wanted, tenant),
        )
    ]
    return list(islice(merge(*parts, key=itemgetter(0), reverse=newest_first), limit))


async def _of_owned(connection: Connection, wanted: Wanted, tenant: str) -> str:
    """Choose how to find what has no tenant; one device's events are few anyway."""
    if wanted.device is not None:
        return _OWNED
    has_many = await connection.row(_MANY, {"tenant": tenant, "few": FEW})
    return _OWNED if has_many else _OF_FEW


def _values(wanted: Wanted) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the values of what is said, and which columns must equal one."""
    equal = {
        "device": None if wanted.device is None else str(wanted.device),
        "actor": wanted.actor,
    }
    said = {column: value for column, value in equal.items() if value is not None}
    names = {f"name{number}": name.value for number, name in enumerate(sorted(wanted.names))}
    since = {} if wanted.since is None else {"since": to_micros(wanted.since)}
    return {**said, **names, **since}, frozenset(said)


@lru_cache(maxsize=256)
def _statement(shape: _Shape) -> Statement:
    cursor = _E.cursor < named("after") if shape.newest_first else _E.cursor > named("after")
    found = select(audit_events).where(cursor)
    if shape.viewer in (_OWN, _OWN_DEVICES):
        found = found.where(_E.tenant == named("tenant"))
    if shape.viewer == _OWN_DEVICES:
        found = found.where(_E.device.is_not(None))
    if shape.viewer == _OWNED:
        theirs = (devices.c.id == _E.device) & (devices.c.tenant == named("tenant"))
        found = found.where(_E.tenant.is_(None), exists().where(theirs))
    if shape.viewer == _OF_FEW:
        mine = select(devices.c.id).where(devices.c.tenant == named("tenant"))
        # Not by the index of tenants, nor along all cursors: both are everybody's events.
        is_nobodys = literal_column("''").concat(_E.tenant).is_(None)
        found = found.where(is_nobodys, _E.device.in_(mine))
    for column in sorted(shape.equals):
        found = found.where(_E[column] == named(column))
    if shape.names:
        found = found.where(_E.name.in_([named(f"name{n}") for n in range(shape.names)]))
    if shape.since:
        found = found.where(_E.at >= named("since"))
    place = _E.cursor + ZERO if shape.viewer == _OF_FEW else _E.cursor
    order = place.desc() if shape.newest_first else place
    return query(found.order_by(order).limit(named("limit")).offset(ZERO))
