# SPDX-License-Identifier: Apache-2.0
"""Making the database file, and bringing an older one to this program's schema, when it is opened.

Migrations are Alembic's, in `migrations/versions`, and are part of the package. All of an upgrade
is one transaction. Processes that open the file at the same time take turns.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from homeport.errors import Code, HomeportError

MIGRATIONS: Final = Path(__file__).parent / "migrations"
HEAD: Final = "0013"
"""The newest migration; compared with what the file says before anything heavy is imported."""

_ONE_AT_A_TIME: Final = threading.Lock()
"""Alembic's context is one for the whole process."""


def prepare(path: Path) -> None:
    """Make the file if it is not there, and upgrade it if it is older.

    HomeportError(STORAGE_UNAVAILABLE) if it cannot be used, is no registry, or is newer than this.
    """
    try:
        with _ONE_AT_A_TIME, turn(path.parent):
            _create(path)
            if _revision(path) != HEAD:
                _upgrade(path)
    except (OSError, sqlite3.Error) as error:
        raise HomeportError(Code.STORAGE_UNAVAILABLE, f"{path}: {error}") from error


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Wait for other processes; the folder is locked, as closing the file drops SQLite's locks."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _create(path: Path) -> None:
    """Make an empty file that its owner alone can read; SQLite gives its log the same mode."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _revision(path: Path) -> str | None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = {name for (name,) in rows}
        if not tables:
            return None
        row = None
        if "alembic_version" in tables:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        raise HomeportError(Code.STORAGE_UNAVAILABLE, f"{path} belongs to another program")
    revision = str(row[0])
    if not any((MIGRATIONS / "versions").glob(f"v{revision}_*.py")):
        raise HomeportError(
            Code.STORAGE_UNAVAILABLE,
            f"{path} was written by a newer Homeport (schema {revision}, this one knows {HEAD}):"
            " install that version again",
        )
    return revision


def _upgrade(path: Path) -> None:
    # Half a second of imports, needed once in a file's life.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import URL, Connection, create_engine, event, pool  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    address = URL.create("sqlite", database=str(path.absolute()))
    engine = create_engine(address, poolclass=pool.NullPool)

    @event.listens_for(engine, "connect")
    def _ours_to_begin(raw: sqlite3.Connection, _: object) -> None:
        raw.isolation_level = None  # else the driver commits before each CREATE

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, HEAD)
    except DBAPIError as error:
        raise HomeportError(
            Code.STORAGE_UNAVAILABLE, f"{path} cannot be upgraded: {error.orig}"
        ) from error
