# SPDX-License-Identifier: Apache-2.0
"""The registry in one SQLite file, for one server process and any number of commands beside it.

What is written is committed in groups, a few threads read, each on a consistent view; the
write-ahead log lets them not wait for each other. Opened and closed in the event loop that uses it.
"""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import MintedDevice, Staged, Transaction
from homeport.storage.parts import SqlTransaction
from homeport.storage.sqlite import staging
from homeport.storage.sqlite.connections import SqliteConnection, connect, translated
from homeport.storage.sqlite.writer import Writer
from homeport.storage.upgrade import prepare
from homeport.storage.verbs import drive

Result = TypeVar("Result")
Rows = TypeVar("Rows")

READERS: Final = 4
"""Threads that read. The broker's questions have one more: no listings keep them waiting."""

WAITING_MAX: Final = 10_000
"""Verbs that may wait: what is committed in a second. More would only time out at the device."""

_RETRY_AFTER: Final = timedelta(seconds=2)
"""When so many wait, the queue is short again in about a second."""


class SqliteRegistry:
    """The port `Registry`; `async with SqliteRegistry(path) as registry`, or `open` and `close`."""

    def __init__(self, path: Path) -> None:
        """Name the file; it is made when opened, readable by its owner alone."""
        self._path: Final = path
        self._writer: Writer | None = None
        self._readers: Final = ThreadPoolExecutor(READERS, thread_name_prefix="registry-reader")
        self._urgent: Final = ThreadPoolExecutor(1, thread_name_prefix="registry-urgent")
        self._stagers: Final = ThreadPoolExecutor(READERS, thread_name_prefix="registry-stager")
        self._of_thread: Final = threading.local()
        self._opened: Final[list[sqlite3.Connection]] = []
        self._watch: sqlite3.Connection | None = None
        self._version = 0

    async def __aenter__(self) -> Self:
        """Open."""
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        await self.close()

    async def open(self) -> None:
        """Make or upgrade the file and begin; a HomeportError(STORAGE_UNAVAILABLE) says why not."""
        await asyncio.to_thread(prepare, self._path)
        self._watch = connect(self._path, busy_timeout=timedelta(0))
        # The event loop does not wait for another process's lock: the writer knocks again.
        writing = connect(self._path, busy_timeout=timedelta(0))
        self._writer = Writer(SqliteConnection(writing))

    async def close(self) -> None:
        """Finish what is queued and let go of the file."""
        if self._writer:
            await self._writer.close()
            self._writer = None
        for threads in (self._readers, self._urgent, self._stagers):
            await asyncio.to_thread(threads.shutdown)
        if self._watch:
            self._opened.append(self._watch)
            self._watch = None
        while self._opened:
            self._opened.pop().close()

    async def transact(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Run the verb in a transaction that is durable when this returns; its error undoes it.

        A caller that gives up (is cancelled) does not stop the verb.
        """
        writer = self._writing()
        if writer.waiting >= WAITING_MAX:
            raise HomeportError(
                Code.STORAGE_UNAVAILABLE, f"{WAITING_MAX} verbs wait", retry_after=_RETRY_AFTER
            )
        result: Result = await writer.submit(verb)
        return result

    async def read(
        self, verb: Callable[[Transaction], Awaitable[Result]], *, is_urgent: bool = False
    ) -> Result:
        """Run a verb that only reads, on a consistent view, without waiting for writers.

        An urgent one, which is short, does not wait for others that read either.
        """
        self._writing()
        loop = asyncio.get_running_loop()
        readers = self._urgent if is_urgent else self._readers
        return await loop.run_in_executor(readers, copy_context().run, self._read, verb)

    async def version(self) -> int:
        """Return a number that changes whenever anybody, in any process, has committed."""
        if self._watch is None:
            raise RuntimeError("the registry is not open")
        # Ten microseconds, and it never waits: a connection of its own, on which nothing else runs.
        # Locked for an instant (recovery after a crash elsewhere): as if nothing had changed yet.
        with suppress(sqlite3.OperationalError):
            (self._version,) = self._watch.execute("PRAGMA data_version").fetchone()
        return self._version

    @asynccontextmanager
    async def stage_minted(
        self, authority: str, devices: Iterable[MintedDevice]
    ) -> AsyncIterator[Staged[MintedDevice]]:
        """Lay a manifest's devices ready, streamed in a thread, without holding up writers."""
        self._writing()
        ready: asyncio.Future[Staged[MintedDevice]] = asyncio.get_running_loop().create_future()
        done = threading.Event()
        lay = partial(staging.stage_minted, authority=authority, devices=devices, given_up=done)
        work = ready.get_loop().run_in_executor(self._stagers, self._stage, lay, ready, done)
        try:
            yield await ready
        finally:
            done.set()
            await asyncio.wait([work])

    def _stage(
        self,
        lay: Callable[[Path], Staged[MintedDevice]],
        ready: asyncio.Future[Staged[MintedDevice]],
        done: threading.Event,
    ) -> None:
        """Lay rows ready and keep them until they are done with, in one thread from end to end."""
        tell = ready.get_loop().call_soon_threadsafe
        try:
            with staging.staging_folder(self._path) as folder:
                tell(_settle, ready, lay(folder), None)
                done.wait()
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            tell(_settle, ready, None, error)

    def _writing(self) -> Writer:
        if self._writer is None:
            raise RuntimeError("the registry is not open")
        return self._writer

    def _read(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        connection, transaction = self._reader()
        with translated():
            connection.execute("BEGIN")
        try:
            return drive(verb(transaction))
        except HomeportError as error:
            if getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY:
                raise RuntimeError("a verb given to `read` tried to write") from error
            raise
        finally:
            connection.execute("ROLLBACK")

    def _reader(self) -> tuple[sqlite3.Connection, SqlTransaction]:
        """Return this thread's own connection."""
        if not hasattr(self._of_thread, "reader"):
            connection = connect(self._path)
            self._opened.append(connection)
            connection.execute("PRAGMA query_only=ON")
            self._of_thread.reader = connection, SqlTransaction(SqliteConnection(connection))
        reader: tuple[sqlite3.Connection, SqlTransaction] = self._of_thread.reader
        return reader


def _settle(future: asyncio.Future[Rows], result: Rows | None, error: BaseException | None) -> None:
    """Tell whoever still waits."""
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    elif result is not None:
        future.set_result(result)
