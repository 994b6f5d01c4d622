# SPDX-License-Identifier: Apache-2.0
"""The one thread that writes: group commit.

A commit that reaches the disk costs more than the statements in it, so verbs that wait are
committed together. Each runs in its own savepoint: its error undoes it alone. When the commit
fails, all of the group fail, and none of their work is there.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any, Final, TypeAlias

from homeport.provisioning.ports import Transaction
from homeport.storage.parts import SqlTransaction
from homeport.storage.sqlite.connections import SqliteConnection, translate
from homeport.storage.verbs import drive

GROUP_MAX: Final = 64
"""Verbs in one commit: by then its share of each is small, and the first waits for the last."""

Verb: TypeAlias = Callable[[Transaction], Awaitable[Any]]


class _Job:
    """A verb, whom to tell, and what became of it."""

    __slots__ = ("context", "error", "future", "result", "verb")

    def __init__(self, verb: Verb, future: asyncio.Future[Any]) -> None:
        self.verb: Final = verb
        self.future: Final = future
        self.context: Final[Context] = copy_context()  # so that log lines keep their device id
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        """Tell whoever still waits."""
        if self.future.done():  # given up by the caller; the work is done all the same
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Writer:
    """Owns the writing connection and its thread; belongs to the event loop that made it."""

    def __init__(self, connection: SqliteConnection) -> None:
        """Begin to work."""
        self._connection = connection
        self._execute = connection.raw.execute
        self._transaction = SqlTransaction(connection)
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self.waiting = 0
        self._thread = threading.Thread(target=self._work, name="registry-writer", daemon=True)
        self._thread.start()

    def submit(self, verb: Verb) -> asyncio.Future[Any]:
        """Queue a verb; the future is done when its work is durable or undone."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self.waiting += 1
        self._queue.put(_Job(verb, future))
        return future

    async def close(self) -> None:
        """Finish what is queued, then end the thread and close the connection."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        ends = False
        while not ends:
            group, ends = self._next_group()
            if group:
                self._commit(group)
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    self._loop.call_soon_threadsafe(self._settle, group)
        self._connection.raw.close()

    def _next_group(self) -> tuple[list[_Job], bool]:
        """Wait for one job, then take what else is there; also whether the end was asked for."""
        group: list[_Job] = []
        try:
            job = self._queue.get()
            while job is not None:
                group.append(job)
                if len(group) == GROUP_MAX:
                    return group, False
                job = self._queue.get_nowait()
        except queue.Empty:
            return group, False
        return group, True

    def _settle(self, group: Sequence[_Job]) -> None:
        self.waiting -= len(group)
        for job in group:
            job.settle()

    def _commit(self, group: Sequence[_Job]) -> None:
        try:
            self._execute("BEGIN IMMEDIATE")
            for job in group:
                self._run(job)
            self._execute("COMMIT")
            self._connection.detach()
        except BaseException as error:  # noqa: BLE001 - all who wait must hear of it
            self._fail(group, error)

    def _run(self, job: _Job) -> None:
        """Run one verb in its savepoint; an error from here means that the whole group is lost."""
        self._execute("SAVEPOINT verb")
        try:
            job.result = job.context.run(drive, job.verb(self._transaction))
        except BaseException as error:  # noqa: BLE001 - it is the caller's, who waits for it
            job.error = error
            # After a full disk SQLite may have undone everything: then this fails, and the group.
            self._execute("ROLLBACK TO verb")
        self._execute("RELEASE verb")

    def _fail(self, group: Sequence[_Job], error: BaseException) -> None:
        with suppress(sqlite3.Error):
            if self._connection.raw.in_transaction:
                self._execute("ROLLBACK")
            self._connection.detach()
        for job in group:
            if job.error is None:
                job.error = translate(error) if isinstance(error, sqlite3.Error) else error
