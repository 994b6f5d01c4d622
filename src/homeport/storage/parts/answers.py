# SPDX-License-Identifier: Apache-2.0
"""Answers that are kept for repeated requests."""

from datetime import datetime
from typing import Final

from sqlalchemy import delete, select

from homeport.provisioning.ports import KeptAnswer
from homeport.storage.compiled import addition, named, query
from homeport.storage.connection import Connection
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.schema import kept_answers

_GET: Final = query(
    select(kept_answers).where(
        kept_answers.c.caller == named("caller"), kept_answers.c.key == named("key")
    )
)
_PUT: Final = addition(kept_answers)
_FORGET: Final = query(delete(kept_answers).where(kept_answers.c.kept_at < named("before")))


class SqlKeptAnswers:
    """The port `KeptAnswers`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, caller: str, key: str) -> KeptAnswer | None:
        """Return the caller's answer under this key."""
        row = await self._connection.row(_GET, {"caller": caller, "key": key})
        if row is None:
            return None
        _, _, request, answer, kept_at = row
        return KeptAnswer(
            caller=caller, key=key, request=request, answer=answer, kept_at=to_instant(kept_at)
        )

    async def put(self, answer: KeptAnswer) -> None:
        """Keep one, or HomeportError(ALREADY_EXISTS)."""
        values = {
            "caller": answer.caller,
            "key": answer.key,
            "request": answer.request,
            "answer": answer.answer,
            "kept_at": to_micros(answer.kept_at),
        }
        await self._connection.run(_PUT, values)

    async def forget(self, before: datetime) -> None:
        """Drop what was kept earlier than that."""
        await self._connection.run(_FORGET, {"before": to_micros(before)})
