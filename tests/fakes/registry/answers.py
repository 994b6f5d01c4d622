# SPDX-License-Identifier: Apache-2.0
"""Kept answers in memory."""

from datetime import datetime

from fakes.registry.rows import Rows, keepable
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import KeptAnswer


class FakeKeptAnswers:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows.answers

    async def get(self, caller: str, key: str) -> KeptAnswer | None:
        return self._rows.get((caller, key))

    async def put(self, answer: KeptAnswer) -> None:
        if (answer.caller, answer.key) in self._rows:
            raise HomeportError(Code.ALREADY_EXISTS, answer.key)
        self._rows[answer.caller, answer.key] = keepable(answer)

    async def forget(self, before: datetime) -> None:
        for key in [key for key, answer in self._rows.items() if answer.kept_at < before]:
            del self._rows[key]
