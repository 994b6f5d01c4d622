# SPDX-License-Identifier: Apache-2.0
"""Connections to one SQLite file, and what SQLite's errors mean to us."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.ports import Staged
from homeport.storage.compiled import Statement, Values
from homeport.storage.connection import Row

Rows = TypeVar("Rows")

BUSY_TIMEOUT: Final = timedelta(seconds=30)
"""Longer than another process holds the write lock: it adds a million devices in seconds."""

_RETRY_AFTER: Final = timedelta(seconds=5)
"""A locked or full database is rarely well again sooner."""

_STATEMENTS: Final = 256
"""Statements that the driver keeps prepared; all of ours fit."""

_CHECKPOINT: Final = 4000
"""Pages (of 4 KiB) in the write-ahead log before they are copied into the file: a page that changed
many times is copied once, and the copying still takes less than a tenth of a second."""

_CACHE: Final = 32 * 1024
"""KiB of pages kept in memory: the inner pages of all trees of a million devices."""

_WAL_LIMIT: Final = 64 * 1024 * 1024
"""Bytes to which the write-ahead log is cut after a large import."""

_ERRORS: Final = (sqlite3.Error, UnicodeEncodeError, OverflowError)
_UNIQUE: Final = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedFile(Staged[Rows]):
    """Rows laid ready, and in which file."""

    path: Path


def connect(path: Path, *, busy_timeout: timedelta = BUSY_TIMEOUT) -> sqlite3.Connection:
    """Open the existing file; transactions are ours to begin, and any one thread's at a time."""
    with translated():
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=busy_timeout.total_seconds(),
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
        )
        try:
            # FULL: a commit is on the disk, not only in the page cache, before anybody hears of it.
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT}")
            connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT}")
            connection.execute(f"PRAGMA cache_size=-{_CACHE}")
            # What a savepoint would put back is kept in memory: a temporary file doubles the cost.
            connection.execute("PRAGMA temp_store=MEMORY")
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def translated() -> Iterator[None]:
    """Raise the catalogue's errors instead of SQLite's."""
    try:
        yield
    except _ERRORS as error:
        raise translate(error) from error


def translate(error: Exception, absent: Code = Code.NOT_FOUND) -> Exception:
    """Return what SQLite's error means to us."""
    if not isinstance(error, sqlite3.Error):  # a lone surrogate, or an integer beyond 64 bits
        return MalformedError(f"a value cannot be kept: {error}")
    number = getattr(error, "sqlite_errorcode", None)
    if number in _UNIQUE:
        return HomeportError(Code.ALREADY_EXISTS, str(error))
    if number == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return HomeportError(absent, "a row names something that is not there")
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError):
        return error
    return HomeportError(Code.STORAGE_UNAVAILABLE, f"SQLite: {error}", retry_after=_RETRY_AFTER)


class SqliteConnection:
    """A `Connection` over the raw driver. Nothing here suspends."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        """Take over a connection that `connect` opened."""
        self.raw: Final = raw
        self._attached: dict[Path, str] = {}
        self._execute: Callable[..., sqlite3.Cursor] = raw.execute

    async def row(self, statement: Statement, values: Values) -> Row | None:
        """Return the first row."""
        try:
            found: Row | None = self._execute(statement.sql, statement.bind(values)).fetchone()
        except _ERRORS as error:
            raise translate(error, statement.absent) from error
        return found

    async def rows(self, statement: Statement, values: Values) -> Sequence[Row]:
        """Return all rows."""
        try:
            return self._execute(statement.sql, statement.bind(values)).fetchall()
        except _ERRORS as error:
            raise translate(error, statement.absent) from error

    async def run(self, statement: Statement, values: Values) -> int:
        """Change something; return how many rows were."""
        try:
            return self._execute(statement.sql, statement.bind(values)).rowcount
        except _ERRORS as error:
            raise translate(error, statement.absent) from error

    async def run_many(self, statement: Statement, values: Iterable[Values]) -> int:
        """Change something once for each of the values; return how many rows were."""
        try:
            return self.raw.executemany(statement.sql, map(statement.bind, values)).rowcount
        except _ERRORS as error:
            raise translate(error, statement.absent) from error

    async def reach(self, staged: Staged[Any]) -> str:
        """Attach the file in which rows were laid ready; return its schema."""
        if not isinstance(staged, StagedFile):
            raise TypeError("these rows were laid ready by another registry")
        if staged.path not in self._attached:
            schema = f"staged{len(self._attached)}"
            with translated():
                self._execute(f"ATTACH ? AS {schema}", (str(staged.path),))
            self._attached[staged.path] = schema
        return self._attached[staged.path]

    def detach(self) -> None:
        """Let go of what was laid ready, once the transaction has ended."""
        for path, schema in list(self._attached.items()):
            self._execute(f"DETACH {schema}")
            del self._attached[path]
