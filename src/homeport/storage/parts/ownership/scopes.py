# SPDX-License-Identifier: Apache-2.0
"""The registered devices that a sales record speaks of."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select

from homeport.domain.device import Device, DeviceId
from homeport.domain.ownership import Ownership, Scope, SerialRange
from homeport.storage.compiled import ONE, ZERO, Statement, named, query
from homeport.storage.connection import Connection
from homeport.storage.parts.device_rows import DEVICE_COLUMNS, to_device
from homeport.storage.schema import devices

_COLUMNS: Final = select(*DEVICE_COLUMNS)
_OF_RANGE: Final = (
    _COLUMNS.where(
        devices.c.serial_number.between(named("first"), named("last")),
        func.length(devices.c.serial_number) == named("length"),
        or_(devices.c.serial_number != named("seen"), devices.c.id > named("after")),
    )
    .order_by(devices.c.serial_number, devices.c.id)
    .limit(named("limit"))
    .offset(ZERO)
)
_OF_MODEL: Final = (
    _COLUMNS.where(
        devices.c.authority == named("authority"),
        devices.c.model == named("model"),
        devices.c.id > named("after"),
        devices.c.minted == ONE,
    )
    .order_by(devices.c.id)
    .limit(named("limit"))
    .offset(ZERO)
)
_CLAIMED: Final[ColumnElement[str]] = literal_column(f"'{Ownership.CLAIMED.value}'")
_DECOMMISSIONED: Final[ColumnElement[str]] = literal_column(f"'{Ownership.DECOMMISSIONED.value}'")
_IS_UNOWNED: Final = and_(devices.c.tenant.is_(None), devices.c.ownership != _DECOMMISSIONED)
_IS_CONTESTED: Final = or_(
    and_(devices.c.tenant.is_not(None), devices.c.tenant.is_distinct_from(named("tenant"))),
    devices.c.ownership == _CLAIMED,
)


class Selection(NamedTuple):
    """One question about devices, for each kind of scope."""

    of_any: Statement
    """A range, of whichever maker."""
    of_one: Statement
    """A range of one maker."""
    of_model: Statement


def _selection(condition: ColumnElement[bool]) -> Selection:
    def compiled(rows: Select[Any]) -> Statement:
        return query(rows.where(condition))

    # Not by the index of models, which begins with the authority: most devices are of one maker.
    authority = literal_column("''").concat(devices.c.authority)
    one = _OF_RANGE.where(authority == named("authority"))
    return Selection(compiled(_OF_RANGE), compiled(one), compiled(_OF_MODEL))


UNOWNED: Final = _selection(_IS_UNOWNED)
CONTESTED: Final = _selection(_IS_CONTESTED)

_UNOWNED_OF_ANY, _UNOWNED_OF_ONE, _UNOWNED_OF_MODEL = UNOWNED
_CONTESTED_OF_ANY, _CONTESTED_OF_ONE, _CONTESTED_OF_MODEL = CONTESTED


class Question(NamedTuple):
    """Which devices are asked for."""

    scope: Scope
    authority: str | None
    tenant: str | None
    limit: int
    after: DeviceId | None


async def devices_of(
    connection: Connection, selection: Selection, asked: Question
) -> Sequence[Device]:
    """Return the devices of the scope, in order, beyond `after`."""
    if isinstance(asked.scope, SerialRange):
        return await _of_range(connection, selection, asked, asked.scope)
    values = {
        "authority": asked.authority,
        "model": asked.scope.name,
        "after": str(asked.after) if asked.after else "",
        "tenant": asked.tenant,
        "limit": asked.limit,
    }
    rows = await connection.rows(selection.of_model, values)
    return [to_device(row) for row in rows]


async def _of_range(
    connection: Connection, selection: Selection, asked: Question, scope: SerialRange
) -> Sequence[Device]:
    statement = selection.of_any if asked.authority is None else selection.of_one
    values = {
        "last": scope.last,
        "length": len(scope.first),
        "authority": asked.authority,
        "tenant": asked.tenant,
        "limit": asked.limit,
    }
    found: list[Device] = []
    after = asked.after
    # What lies between as text need not be counted: the range itself has the last word.
    while len(found) < asked.limit:
        seen = after.serial_number if after else ""
        values |= {"first": max(scope.first, seen), "seen": seen, "after": str(after)}
        page = [to_device(row) for row in await connection.rows(statement, values)]
        found += [device for device in page if device.id.serial_number in scope]
        if len(page) < asked.limit:
            break
        after = page[-1].id
    return found[: asked.limit]
