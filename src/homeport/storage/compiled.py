# SPDX-License-Identifier: Apache-2.0
"""Statements, written with SQLAlchemy Core and compiled once, at import.

Core keeps them portable; running its compiled text on the raw driver costs 30 microseconds a
transaction where Core itself takes 200 and its asyncio form 1,200. What each statement may break is
said with it, so that a violated constraint becomes an error of the catalogue.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    ClauseElement,
    ColumnClause,
    Table,
    bindparam,
    insert,
    literal_column,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.sql.compiler import SQLCompiler

from homeport.errors import Code

Values: TypeAlias = Mapping[str, Any]
"""What a statement's parameters are, by name."""

ZERO: Final[ColumnClause[int]] = literal_column("0")
ONE: Final[ColumnClause[int]] = literal_column("1")
"""Constants stand in the text, so that all parameters are the caller's. (A limit without an offset
would get one as a parameter.)"""

_DIALECT: Final = sqlite.dialect(paramstyle="qmark")


class Statement:
    """One statement: its text, and how named values become the driver's positional ones."""

    __slots__ = ("absent", "bind", "sql")

    def __init__(
        self, clause: ClauseElement, columns: Sequence[str] | None = None, *, absent: Code
    ) -> None:
        """Compile; `columns` narrows an INSERT, `absent` tells that what it names is not there."""
        compiled = clause.compile(
            dialect=_DIALECT, column_keys=columns, compile_kwargs={"render_postcompile": True}
        )
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(f"no statement with parameters: {clause}")
        self.sql: Final = str(compiled)
        constants = [name for name, bind in compiled.binds.items() if not bind.required]
        if constants:
            raise ValueError(f"write constants as literal_column: {constants}")
        self.bind: Final = _binder(compiled.positiontup or [])
        self.absent: Final = absent


def query(clause: ClauseElement) -> Statement:
    """Compile a statement that names nothing which could be absent."""
    return Statement(clause, absent=Code.NOT_FOUND)


def addition(
    table: Table, *, without: Sequence[str] = (), absent: Code = Code.NOT_FOUND
) -> Statement:
    """Compile the INSERT of a row, but for columns that the database fills in."""
    columns = [column.name for column in table.columns if column.name not in without]
    return Statement(insert(table), columns, absent=absent)


def upsert(
    table: Table,
    key: Sequence[str],
    change: Sequence[str],
    *,
    without: Sequence[str] = (),
    absent: Code,
) -> Statement:
    """Compile "add the row, or change these columns of the one with this key"."""
    columns = [column.name for column in table.columns if column.name not in without]
    add = Insert(table)
    clause = add.on_conflict_do_update(
        index_elements=list(key), set_={name: add.excluded[name] for name in change}
    )
    return Statement(clause, columns, absent=absent)


BATCH: Final = 128
"""Texts in one question: enough that the question itself costs little."""

BATCH_NAMES: Final = [f"text{number}" for number in range(BATCH)]


def batches(texts: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield them as the parameters text0, text1 … of a batch; the last text fills it up."""
    rest = iter(texts)
    while some := list(islice(rest, BATCH)):
        some += some[-1:] * (BATCH - len(some))
        yield dict(zip(BATCH_NAMES, some, strict=True))


def named(name: str) -> Any:
    """Return a parameter of a statement."""
    return bindparam(name)


def _binder(names: Sequence[str]) -> Callable[[Values], tuple[Any, ...]]:
    """Return the function from values to the tuple in the order of the placeholders."""
    if not names:
        return lambda _: ()
    pick = itemgetter(*names)  # with one name it returns the bare item
    return pick if len(names) > 1 else lambda values: (pick(values),)
