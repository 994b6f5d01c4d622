# SPDX-License-Identifier: Apache-2.0
"""All that is written, in groups: verbs run in the event loop, their commit waits in a thread.

A commit that reaches the disk costs more than the statements in it, so verbs that wait are
committed together. Each runs in its own savepoint: its error undoes it alone. When the commit
fails, all of the group fail, and none of their work is there.

The statements take microseconds from the page cache; what takes long, the flush to the disk, lets
go of the interpreter. A thread for the statements, too, made each of them wait for the interpreter
and cost 40 % of an enrolment (docs/decisions/0005).
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context, copy_context
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeAlias

from homeport.provisioning.ports import Transaction
from homeport.storage.parts import SqlTransaction
from homeport.storage.sqlite.connections import BUSY_TIMEOUT, SqliteConnection, translate
from homeport.storage.verbs import drive

GROUP_MAX: Final = 24
"""Verbs in one commit: the event loop is theirs for five milliseconds, then others have a turn."""

KNOCK: Final = timedelta(milliseconds=5)
"""Between two tries while another process has the write lock; the event loop goes on meanwhile."""

_BUSY_MASK: Final = 0xFF
"""Primary part of SQLite's result codes."""

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
    """Owns the writing connection; belongs to the event loop that made it."""

    def __init__(self, connection: SqliteConnection) -> None:
        """Take a connection that does not wait for locks by itself."""
        self._connection = connection
        self._execute = connection.raw.execute
        self._transaction = SqlTransaction(connection)
        self._loop = asyncio.get_running_loop()
        self._jobs: deque[_Job] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="registry-commit")
        self._idle = asyncio.Event()
        self._idle.set()
        self.waiting = 0

    def submit(self, verb: Verb) -> asyncio.Future[Any]:
        """Queue a verb; the future is done when its work is durable or undone."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self.waiting += 1
        self._jobs.append(_Job(verb, future))
        if self._idle.is_set():
            self._idle.clear()
            # Not at once: others that are ready in this turn of the loop join the group.
            self._loop.call_soon(self._begin, None)
        return future

    async def close(self) -> None:
        """Finish what is queued, then close the connection."""
        await self._idle.wait()
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.raw.close()

    def _begin(self, until: float | None) -> None:
        """Take the write lock and run a group; come back later while another process has it."""
        if not self._jobs:
            self._idle.set()
            return
        until = until or self._loop.time() + BUSY_TIMEOUT.total_seconds()
        try:
            self._execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            is_locked = error.sqlite_errorcode & _BUSY_MASK == sqlite3.SQLITE_BUSY
            if is_locked and self._loop.time() < until:
                self._loop.call_later(KNOCK.total_seconds(), self._begin, until)
            else:
                self._end(self._next_group(), error)
        else:
            self._run_all(self._next_group())

    def _next_group(self) -> list[_Job]:
        return [self._jobs.popleft() for _ in range(min(GROUP_MAX, len(self._jobs)))]

    def _run_all(self, group: Sequence[_Job]) -> None:
        try:
            for job in group:
                self._run(job)
        except BaseException as error:  # noqa: BLE001 - all who wait must hear of it
            self._end(group, error)
        else:
            flushed = self._loop.run_in_executor(self._thread, self._commit)
            flushed.add_done_callback(partial(self._committed, group))

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

    def _commit(self) -> None:
        self._execute("COMMIT")
        self._connection.detach()

    def _committed(self, group: Sequence[_Job], flushed: asyncio.Future[None]) -> None:
        self._end(group, flushed.exception())

    def _end(self, group: Sequence[_Job], error: BaseException | None) -> None:
        """Tell all of the group what became of their work, then turn to the next."""
        if error is not None:
            self._undo()
        for job in group:
            if error is not None and job.error is None:
                job.error = translate(error) if isinstance(error, sqlite3.Error) else error
            job.settle()
        self.waiting -= len(group)
        self._begin(None)

    def _undo(self) -> None:
        with suppress(sqlite3.Error):
            if self._connection.raw.in_transaction:
                self._execute("ROLLBACK")
            self._connection.detach()
