# SPDX-License-Identifier: Apache-2.0
"""Registering a manifest's devices in one short step.

The rows were laid ready beside the registry, each device once; what is left for the transaction is
one INSERT, and, only if some were there already, the search for contradictions.
"""

from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Column,
    LargeBinary,
    MetaData,
    String,
    Table,
    null,
    select,
    true,
    update,
)
from sqlalchemy.dialects.sqlite import Insert

from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Staged
from homeport.storage.compiled import ONE, ZERO, Statement, named, query
from homeport.storage.connection import Connection
from homeport.storage.instants import to_micros
from homeport.storage.schema import devices

_COPIED: Final = (
    "id",
    "authority",
    "serial_number",
    "model",
    "hardware_identity",
    "idevid_fingerprint",
    "dpp_key",
    "dpp_key_hash",
    "claim_code_hash",
)
_LEARNT: Final = _COPIED[3:]
"""What a manifest adds to a device that was only seen."""


def staged_minted(schema: str | None = None) -> Table:
    """Return the table in which a manifest's devices are laid ready."""
    columns = [
        Column(name, LargeBinary if name == "dpp_key" else String, primary_key=name == "id")
        for name in _COPIED
    ]
    return Table("minted", MetaData(schema=schema), *columns, sqlite_with_rowid=False)


async def add(connection: Connection, staged: Staged[Any], now: datetime) -> int:
    """Add what was laid ready; HomeportError(DEVICE_CONFLICT) names a device that contradicts."""
    statements = _statements(await connection.reach(staged))
    added = await connection.run(statements.add, {"now": to_micros(now)})
    if added < staged.count:
        contradiction = await connection.row(statements.contradictions, {})
        if contradiction:
            raise HomeportError(
                Code.DEVICE_CONFLICT, f"{contradiction[0]} is known with another IDevID"
            )
        await connection.run(statements.learn, {})
    return added


class _Statements(NamedTuple):
    add: Statement
    contradictions: Statement
    learn: Statement


@cache
def _statements(schema: str) -> _Statements:
    staged = staged_minted(schema)
    rest = {
        "minted": ONE,
        "tenant": null(),
        "upstream": null(),
        "epoch": ZERO,
        "registered_at": named("now"),
    }
    rows = select(*staged.columns, *rest.values()).where(true()).order_by(staged.c.id)
    add = Insert(devices).from_select([*_COPIED, *rest], rows).on_conflict_do_nothing()
    same = devices.c.id == staged.c.id
    contradictions = select(staged.c.id).where(
        same, devices.c.idevid_fingerprint != staged.c.idevid_fingerprint
    )
    learn = (
        update(devices)
        .values(minted=ONE, **{name: staged.c[name] for name in _LEARNT})
        .where(same, devices.c.minted == ZERO)
    )
    return _Statements(query(add), query(contradictions.limit(ONE).offset(ZERO)), query(learn))
