# SPDX-License-Identifier: Apache-2.0
"""Keeping many sales records in one short step, after they were laid ready beside the registry."""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Delete,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    exists,
    func,
    insert,
    select,
)

from homeport.errors import Code
from homeport.provisioning.ports import Staged
from homeport.storage.compiled import Statement
from homeport.storage.connection import Connection
from homeport.storage.schema import sales_records

COPIED: Final = (
    "stem",
    "length",
    "first",
    "last",
    "authority",
    "tenant",
    "upstream",
    "recorded_at",
    "source",
)


def staged_sold(schema: str | None = None) -> Table:
    """Return the table in which sales records are laid ready, in their order."""
    types: dict[str, Any] = {"length": Integer, "recorded_at": BigInteger}
    columns = [Column(name, types.get(name, String)) for name in COPIED]
    number = Column("number", Integer, primary_key=True)
    return Table("sold", MetaData(schema=schema), number, *columns)


def repeated(staged: Table) -> Delete:
    """Delete those that say what the one before of exactly their range and authority said."""

    def before(column: ColumnElement[Any]) -> ColumnElement[Any]:
        same = [staged.c[name] for name in ("stem", "length", "first", "last", "authority")]
        return func.lag(column).over(partition_by=same, order_by=staged.c.number)

    rows = select(
        staged.c.number,
        (
            (before(staged.c.tenant) == staged.c.tenant)
            & before(staged.c.upstream).is_not_distinct_from(staged.c.upstream)
        ).label("repeats"),
    ).subquery()
    return delete(staged).where(staged.c.number.in_(select(rows.c.number).where(rows.c.repeats)))


async def add(connection: Connection, staged: Staged[Any]) -> int:
    """Add what was laid ready, unless the latest record of exactly that range says so already."""
    return await connection.run(_statement(await connection.reach(staged)), {})


@cache
def _statement(schema: str) -> Statement:
    staged, known, later = staged_sold(schema), sales_records.alias(), sales_records.alias()
    repeats = exists().where(
        *_same_range(known, staged),
        known.c.tenant == staged.c.tenant,
        known.c.upstream.is_not_distinct_from(staged.c.upstream),
        ~exists().where(
            *_same_range(later, known),
            (later.c.recorded_at > known.c.recorded_at)
            | ((later.c.recorded_at == known.c.recorded_at) & (later.c.number > known.c.number)),
        ),
    )
    rows = select(*(staged.c[name] for name in COPIED)).where(~repeats).order_by(staged.c.number)
    return Statement(
        insert(sales_records).from_select(list(COPIED), rows), absent=Code.TENANT_UNKNOWN
    )


def _same_range(one: Any, other: Any) -> list[Any]:
    return [
        one.c.stem == other.c.stem,
        one.c.length == other.c.length,
        one.c.first == other.c.first,
        one.c.last == other.c.last,
        one.c.authority.is_not_distinct_from(other.c.authority),
    ]
