# SPDX-License-Identifier: Apache-2.0
"""Finding devices among a million: every page walks along an index, and never far.

A list goes by one of three ways: along all devices or along one tenant's by serial number, or along
the runs in a rare state by device. What the way does not know (model, presence, …) is looked at row
by row, at most WALK rows a page; if that was not enough the page ends early, and the next one goes
on there.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, NamedTuple, Self

from sqlalchemy import ColumnElement, Select, Table, func, literal_column, select, text, tuple_

from homeport.domain.device import DeviceId
from homeport.domain.enrolment import State
from homeport.errors import MalformedError
from homeport.provisioning.ports import NEVER_SEEN, DeviceFilter, Found, Listed, Presence
from homeport.storage.compiled import ONE, ZERO, Statement, named, query
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import to_instant
from homeport.storage.parts.device_rows import DEVICE_COLUMNS, to_device
from homeport.storage.parts.enrolments import COLUMNS as RUN_COLUMNS
from homeport.storage.parts.enrolments import precedence, to_enrolment
from homeport.storage.schema import (
    COMMON,
    UNCOMMON,
    context_tags,
    contexts,
    devices,
    enrolments,
    presence,
)

WALK: Final = 1000
"""Rows; each costs some 10 µs when its run and its presence are looked up."""

TENANTS_MAX: Final = 20
"""Tenants that one page goes through: who belongs to hundreds sees them in several."""

_LAST: Final = "\U0010ffff"
"""Sorts after everything: no text that prints has this character."""


class Way(NamedTuple):
    """An index to walk along."""

    is_of_tenant: bool
    state: State | None = None
    """Walk along the runs in this state, else along devices by serial number."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: `<device>`, `<tenant>/<device>`, or `~<device>` along a state."""

    device: DeviceId | None = None
    tenant: str | None = None
    is_of_state: bool = False

    @classmethod
    def parse(cls, after: str | None) -> Self | None:
        """Read what `str()` wrote (MalformedError)."""
        if after is None:
            return None
        tenant, slash, device = after.rpartition("/")
        is_of_state = device.startswith("~")
        if is_of_state and slash:
            raise MalformedError("not a cursor")
        known = DeviceId.parse(device.removeprefix("~")) if device else None
        return cls(known, tenant if slash else None, is_of_state)

    def __str__(self) -> str:
        device = "" if self.device is None else str(self.device)
        if self.is_of_state:
            return f"~{device}"
        return device if self.tenant is None else f"{self.tenant}/{device}"


class SqlSearch:
    """The port `Search`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def devices(self, wanted: DeviceFilter, *, after: str | None, limit: int) -> Found:
        """Return at most `limit` devices beyond the cursor."""
        cursor = Cursor.parse(after)
        if await self._goes_by_state(wanted, cursor):
            return await self._by_state(wanted, cursor, limit)
        if cursor is not None and cursor.is_of_state:
            raise MalformedError("not a cursor of this list, or not any more: begin it anew")
        if wanted.tenants is None:
            way = Way(is_of_tenant=False)
            return await self._walk(way, wanted, cursor or Cursor(), limit)
        return await self._by_tenants(wanted, sorted(wanted.tenants), cursor or Cursor(), limit)

    async def _goes_by_state(self, wanted: DeviceFilter, cursor: Cursor | None) -> bool:
        """Say whether few enough devices are in the state, or all of them are wanted anyway."""
        state = wanted.state
        if not isinstance(state, State) or state in COMMON:
            return False
        if cursor is not None and not cursor.is_of_state:
            return False
        if wanted.tenants is None:
            return True
        # Anew for each page, from the beginning: a cursor that is made up tells of no strangers.
        edge = _edge(Way(is_of_tenant=False, state=state))
        return await self._connection.row(edge, {**_bounds(wanted, None), "walk": WALK}) is None

    async def _by_state(self, wanted: DeviceFilter, cursor: Cursor | None, limit: int) -> Found:
        state = State(wanted.state or "")
        way = Way(is_of_tenant=False, state=state)
        start = replace(cursor or Cursor(), is_of_state=True)
        if wanted.tenants is None:
            return await self._walk(way, wanted, start, limit)
        # Rare, as `_goes_by_state` saw: the few rows of all tenants are sorted out here.
        found = await self._walk(way, wanted, start, WALK)
        rows = [row for row in found.rows if row.device.tenant in wanted.tenants]
        if len(rows) <= limit:
            return Found(rows, None)
        return Found(rows[:limit], str(replace(start, device=rows[limit - 1].device.id)))

    async def _by_tenants(
        self, wanted: DeviceFilter, tenants: list[str], cursor: Cursor, limit: int
    ) -> Found:
        way = Way(is_of_tenant=True)
        ahead = [name for name in tenants if name >= (cursor.tenant or "")]
        rows: list[Listed] = []
        for name in ahead[:TENANTS_MAX]:
            start = cursor if cursor.tenant == name else Cursor(tenant=name)
            if len(rows) == limit:
                return Found(rows, str(start))
            found = await self._walk(way, wanted, start, limit - len(rows))
            rows += found.rows
            if found.next is not None:
                return Found(rows, found.next)
        beyond = ahead[TENANTS_MAX : TENANTS_MAX + 1]
        return Found(rows, str(Cursor(tenant=beyond[0])) if beyond else None)

    async def _walk(self, way: Way, wanted: DeviceFilter, start: Cursor, limit: int) -> Found:
        bounds = _bounds(wanted, start.device)
        name = wanted.name.casefold()
        bounds |= {"tenant": start.tenant, "model": wanted.model, "tag": wanted.tag}
        bounds |= {"first_name": name, "last_name": name + _LAST}
        edge = await self._connection.row(_edge(way), {**bounds, "walk": WALK})
        if edge is not None:
            bounds |= {"last_serial": edge[0], "last": edge[1]}
        looked = Looked(
            wanted.state,
            wanted.is_online,
            wanted.is_minted,
            has_model=wanted.model is not None,
            has_name=bool(wanted.name),
            has_tag=wanted.tag is not None,
        )
        values = {**bounds, "limit": limit + 1}
        rows = await self._connection.rows(_rows(way, looked), values)
        listed = [_listed(row) for row in rows[:limit]]
        if len(rows) > limit:
            return Found(listed, str(replace(start, device=listed[-1].device.id)))
        if edge is not None:
            return Found(listed, str(replace(start, device=DeviceId.parse(edge[1]))))
        return Found(listed, None)


def _bounds(wanted: DeviceFilter, after: DeviceId | None) -> dict[str, Any]:
    """Return between which serial numbers and devices the walk goes; the first is not in it."""
    first = wanted.text if wanted.serial_number is None else wanted.serial_number
    last = first + _LAST if wanted.serial_number is None else first
    start, device = first, ""
    if after is not None and after.serial_number >= first:
        start, device = after.serial_number, str(after)
    return {
        "first_serial": start,
        "first": device,
        "last_serial": last,
        "last": _LAST,
        "after": str(after) if after else "",
        "lowest": first,
        "highest": last,
    }


_runs = enrolments.alias("runs")
_LATEST: Final = select(_runs.c.number).order_by(*precedence(_runs)).limit(ONE).offset(ZERO)


@cache
def _edge(way: Way) -> Statement:
    """The last row of the walk, if there are more beyond it."""
    if way.state is not None:
        rows = select(literal_column("''"), enrolments.c.device).where(*_along_state(way.state))
        ordered = rows.order_by(enrolments.c.device)
    else:
        rows = select(devices.c.serial_number, devices.c.id).where(*_along_devices(way))
        ordered = rows.order_by(devices.c.serial_number, devices.c.id)
    return query(ordered.limit(ONE).offset(named("walk")))


class Looked(NamedTuple):
    """What is looked at row by row."""

    state: State | str | None = None
    is_online: bool | None = None
    is_minted: bool | None = None
    has_model: bool = False
    has_name: bool = False
    has_tag: bool = False


@cache
def _rows(way: Way, looked: Looked) -> Statement:
    """All of the walk that is wanted. One statement for each kind of question."""
    columns = (*DEVICE_COLUMNS, presence.c.online, presence.c.since, *RUN_COLUMNS)
    rows: Select[Any]
    if way.state is not None:
        rows = (
            select(*columns)
            .join_from(enrolments, devices, enrolments.c.device == devices.c.id)
            .where(
                *_along_state(way.state),
                enrolments.c.device <= named("last"),
                devices.c.serial_number.between(named("lowest"), named("highest")),
                _is_latest(enrolments.c.device, enrolments),
            )
            .order_by(enrolments.c.device)
        )
    else:
        rows = (
            select(*columns)
            .outerjoin_from(devices, enrolments, _is_latest(devices.c.id, devices))
            .where(*_along_devices(way))
            .order_by(devices.c.serial_number, devices.c.id)
        )
        rows = rows.where(*_in_state(looked.state))
    rows = rows.outerjoin(presence, presence.c.device == devices.c.id)
    if looked.has_model:
        rows = rows.where(devices.c.model == named("model"))
    if looked.has_name:
        is_named = contexts.c.name_key.between(named("first_name"), named("last_name"))
        rows = rows.where(_said(contexts).where(is_named).exists())
    if looked.has_tag:
        is_tagged = context_tags.c.tag == named("tag")
        rows = rows.where(_said(context_tags).where(is_tagged).exists())
    if looked.is_minted is not None:
        rows = rows.where(devices.c.minted == (ONE if looked.is_minted else ZERO))
    if looked.is_online is not None:
        is_online = func.coalesce(presence.c.online, ZERO)
        rows = rows.where(is_online == (ONE if looked.is_online else ZERO))
    return query(rows.limit(named("limit")).offset(ZERO))


def _said(table: Table) -> Select[Any]:
    """What the present owner said of the device."""
    ours = (table.c.device == devices.c.id, table.c.tenant == devices.c.tenant)
    return select(ONE).select_from(table).where(*ours).correlate(devices)


def _along_devices(way: Way) -> list[ColumnElement[bool]]:
    key = tuple_(devices.c.serial_number, devices.c.id)
    between = [
        key > tuple_(named("first_serial"), named("first")),
        key <= tuple_(named("last_serial"), named("last")),
    ]
    return [devices.c.tenant == named("tenant"), *between] if way.is_of_tenant else between


def _along_state(state: State) -> list[ColumnElement[bool]]:
    # An index of some states serves no parameter: the state stands in the text.
    word: ColumnElement[str] = literal_column(f"'{state.value}'")
    return [enrolments.c.state == word, text(UNCOMMON), enrolments.c.device > named("after")]


def _in_state(state: State | str | None) -> Collection[ColumnElement[bool]]:
    if state is None:
        return ()
    if state == NEVER_SEEN:
        return (enrolments.c.number.is_(None),)
    return (enrolments.c.state == literal_column(f"'{State(state).value}'"),)


def _is_latest(device: ColumnElement[str], outer: Any) -> ColumnElement[bool]:
    latest = _LATEST.where(_runs.c.device == device).correlate(outer).scalar_subquery()
    return enrolments.c.number == latest


def _listed(row: Row) -> Listed:
    ours = len(DEVICE_COLUMNS)
    device = to_device(row[:ours])
    online, since = row[ours], row[ours + 1]
    run = row[ours + 2 :]
    return Listed(
        device,
        to_enrolment(device.id, run) if run[0] is not None else None,
        None if online is None else Presence(online=bool(online), since=to_instant(since)),
    )
