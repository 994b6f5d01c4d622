# SPDX-License-Identifier: Apache-2.0
"""The runs of all devices."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, case, literal_column, select

from homeport.domain.device import DeviceId
from homeport.domain.enrolment import Enrolment, State
from homeport.errors import Code
from homeport.storage.compiled import ONE, ZERO, Values, named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import (
    to_instant,
    to_instant_or_none,
    to_micros,
    to_micros_or_none,
)
from homeport.storage.schema import enrolments


def _word(state: State) -> Any:
    return literal_column(f"'{state.value}'")


def precedence(runs: FromClause) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """How a device's runs are ordered so that its latest comes first (see the port's `latest`)."""
    candidate = runs.c.state.in_([_word(State.AWAITING_DECISION), _word(State.REFUSED)])
    rank = case(
        (candidate, literal_column("2")),
        (runs.c.state == _word(State.SUPERSEDED), ONE),
        else_=ZERO,
    )
    return rank, runs.c.number.desc()


COLUMNS: Final = [column for column in enrolments.columns if column.name != "number"]
"""What `to_enrolment` reads."""

_OF_DEVICE: Final = select(*COLUMNS).where(enrolments.c.device == named("device"))
_LATEST: Final = query(_OF_DEVICE.order_by(*precedence(enrolments)).limit(ONE).offset(ZERO))
_WITH_KEY: Final = query(_OF_DEVICE.where(enrolments.c.key_hash == named("key_hash")))
_CANDIDATES: Final = query(
    _OF_DEVICE.where(enrolments.c.state == _word(State.AWAITING_DECISION)).order_by(
        enrolments.c.number
    )
)
_PUT: Final = upsert(
    enrolments,
    key=["id"],
    change=["state", "request_id", "key_hash", "epoch", "started_at", "changed_at", "arrived_at"],
    without=["number"],
    absent=Code.DEVICE_UNKNOWN,
)


class SqlEnrolments:
    """The port `Enrolments`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def latest(self, device: DeviceId) -> Enrolment | None:
        """Return the run that the device's state is read from."""
        row = await self._connection.row(_LATEST, {"device": str(device)})
        return to_enrolment(device, row) if row else None

    async def with_key(self, device: DeviceId, key_hash: str) -> Enrolment | None:
        """Return the device's run for this operational key."""
        values = {"device": str(device), "key_hash": key_hash}
        row = await self._connection.row(_WITH_KEY, values)
        return to_enrolment(device, row) if row else None

    async def candidates(self, device: DeviceId) -> Sequence[Enrolment]:
        """Return the device's runs that await a decision, oldest first."""
        rows = await self._connection.rows(_CANDIDATES, {"device": str(device)})
        return [to_enrolment(device, row) for row in rows]

    async def put(self, enrolment: Enrolment) -> None:
        """Add the run or replace it; a second one for the same key is ALREADY_EXISTS."""
        await self._connection.run(_PUT, _values(enrolment))


def to_enrolment(device: DeviceId, row: Row) -> Enrolment:
    """Read a row of COLUMNS; the caller knows the device already."""
    identifier, _, state, request_id, key_hash, epoch, started_at, changed_at, arrived_at = row
    return Enrolment(
        id=identifier,
        device=device,
        state=State(state),
        request_id=request_id,
        key_hash=key_hash,
        epoch=epoch,
        started_at=to_instant(started_at),
        changed_at=to_instant(changed_at),
        arrived_at=to_instant_or_none(arrived_at),
    )


def _values(enrolment: Enrolment) -> Values:
    return {
        "id": enrolment.id,
        "device": str(enrolment.device),
        "state": enrolment.state.value,
        "request_id": enrolment.request_id,
        "key_hash": enrolment.key_hash,
        "epoch": enrolment.epoch,
        "started_at": to_micros(enrolment.started_at),
        "changed_at": to_micros(enrolment.changed_at),
        "arrived_at": to_micros_or_none(enrolment.arrived_at),
    }
