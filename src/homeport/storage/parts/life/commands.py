# SPDX-License-Identifier: Apache-2.0
"""What devices were asked to do."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import literal_column, select

from homeport.domain.device import DeviceId
from homeport.domain.life.command import Command, CommandState, Order
from homeport.errors import Code
from homeport.storage.compiled import ZERO, named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import (
    to_instant,
    to_instant_or_none,
    to_micros,
    to_micros_or_none,
)
from homeport.storage.schema import commands

_COLUMNS: Final = [column for column in commands.columns if column.name != "number"]
_ASKED: Final = commands.c.state == literal_column(f"'{CommandState.ASKED.value}'")

_GET: Final = query(select(*_COLUMNS).where(commands.c.id == named("id")))
_ASKED_OF: Final = query(select(*_COLUMNS).where(commands.c.device == named("device"), _ASKED))
_OF_DEVICE: Final = query(
    select(*_COLUMNS)
    .where(commands.c.device == named("device"))
    .order_by(commands.c.number.desc())
    .limit(named("limit"))
    .offset(ZERO)
)
_UNANSWERED: Final = query(
    select(*_COLUMNS)
    .where(commands.c.device > named("after"), _ASKED)
    .order_by(commands.c.device)
    .limit(named("limit"))
    .offset(ZERO)
)
_OVERDUE: Final = query(
    select(*_COLUMNS)
    .where(commands.c.expires_at <= named("now"), _ASKED)
    .limit(named("limit"))
    .offset(ZERO)
)
_PUT: Final = upsert(
    commands,
    key=["id"],
    change=["state", "ended_at", "reason"],
    without=["number"],
    absent=Code.DEVICE_UNKNOWN,
)


class SqlCommands:
    """The port `Commands`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, command: str) -> Command | None:
        """Return one by its id."""
        row = await self._connection.row(_GET, {"id": command})
        return _to_command(row) if row else None

    async def asked(self, device: DeviceId) -> Command | None:
        """Return the one that the device has not answered yet."""
        row = await self._connection.row(_ASKED_OF, {"device": str(device)})
        return _to_command(row) if row else None

    async def of_device(self, device: DeviceId, *, limit: int) -> Sequence[Command]:
        """Return a device's, newest first."""
        values = {"device": str(device), "limit": limit}
        return [_to_command(row) for row in await self._connection.rows(_OF_DEVICE, values)]

    async def unanswered(self, *, after: DeviceId | None, limit: int) -> Sequence[Command]:
        """Return those that no device has answered yet, by device."""
        values = {"after": str(after) if after else "", "limit": limit}
        return [_to_command(row) for row in await self._connection.rows(_UNANSWERED, values)]

    async def overdue(self, now: datetime, *, limit: int) -> Sequence[Command]:
        """Return unanswered ones whose time is over."""
        values = {"now": to_micros(now), "limit": limit}
        return [_to_command(row) for row in await self._connection.rows(_OVERDUE, values)]

    async def put(self, command: Command) -> None:
        """Add it, or change its state."""
        values = {
            "id": command.id,
            "device": str(command.device),
            "order": command.order.value,
            "epoch": command.epoch,
            "state": command.state.value,
            "asked_by": command.asked_by,
            "asked_at": to_micros(command.asked_at),
            "expires_at": to_micros(command.expires_at),
            "ended_at": to_micros_or_none(command.ended_at),
            "reason": command.reason,
        }
        await self._connection.run(_PUT, values)


def _to_command(row: Row) -> Command:
    identifier, device, order, epoch, state, asked_by, asked_at, expires_at, ended_at, reason = row
    return Command(
        id=identifier,
        device=DeviceId.parse(device),
        order=Order(order),
        epoch=epoch,
        state=CommandState(state),
        asked_by=asked_by,
        asked_at=to_instant(asked_at),
        expires_at=to_instant(expires_at),
        ended_at=to_instant_or_none(ended_at),
        reason=reason,
    )
