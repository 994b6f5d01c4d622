# SPDX-License-Identifier: Apache-2.0
"""Searching the audit trail: a statement for each combination of what is asked, compiled once.

What a tenant sees are two searches, each along an index: its own events, and those without a tenant
whose device is its own now. Their results are merged by cursor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import exists, select

from homeport.domain.audit import Wanted
from homeport.storage.compiled import ZERO, Statement, named, query
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


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a search is made of, without its values."""

    viewer: str
    """_ALL, _OWN, _OWN_DEVICES or _OWNED."""
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
        for viewer in (_OWN_DEVICES if tenant in wanted.devices_only_of else _OWN, _OWNED)
    ]
    return list(islice(merge(*parts, key=itemgetter(0), reverse=newest_first), limit))


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
    for column in sorted(shape.equals):
        found = found.where(_E[column] == named(column))
    if shape.names:
        found = found.where(_E.name.in_([named(f"name{n}") for n in range(shape.names)]))
    if shape.since:
        found = found.where(_E.at >= named("since"))
    order = _E.cursor.desc() if shape.newest_first else _E.cursor
    return query(found.order_by(order).limit(named("limit")).offset(ZERO))
