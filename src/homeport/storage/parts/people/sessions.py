# SPDX-License-Identifier: Apache-2.0
"""Browsers that are signed in."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, select

from homeport.domain.session import Session
from homeport.errors import Code
from homeport.storage.compiled import named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.schema import sessions

_GET: Final = query(select(sessions).where(sessions.c.token_hash == named("token_hash")))
_OF_ACCOUNT: Final = query(
    select(sessions)
    .where(sessions.c.account == named("account"))
    .order_by(sessions.c.started_at, sessions.c.token_hash)
)
_PUT: Final = upsert(sessions, key=["token_hash"], change=["seen_at"], absent=Code.NOT_FOUND)
_REMOVE: Final = query(delete(sessions).where(sessions.c.token_hash == named("token_hash")))


class SqlSessions:
    """The port `Sessions`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, token_hash: str) -> Session | None:
        """Return one by the hash of its token."""
        row = await self._connection.row(_GET, {"token_hash": token_hash})
        return _session(row) if row else None

    async def of_account(self, account: str) -> Sequence[Session]:
        """Return an account's, oldest first."""
        rows = await self._connection.rows(_OF_ACCOUNT, {"account": account})
        return [_session(row) for row in rows]

    async def put(self, session: Session) -> None:
        """Add it, or note that it was seen; HomeportError(NOT_FOUND) without its account."""
        values = {
            "token_hash": session.token_hash,
            "account": session.account,
            "started_at": to_micros(session.started_at),
            "seen_at": to_micros(session.seen_at),
            "source": session.source,
            "program": session.program,
        }
        await self._connection.run(_PUT, values)

    async def remove(self, session: Session) -> None:
        """Forget it."""
        await self._connection.run(_REMOVE, {"token_hash": session.token_hash})


def _session(row: Row) -> Session:
    token_hash, account, started_at, seen_at, source, program = row
    return Session(
        token_hash=token_hash,
        account=account,
        started_at=to_instant(started_at),
        seen_at=to_instant(seen_at),
        source=source,
        program=program,
    )
