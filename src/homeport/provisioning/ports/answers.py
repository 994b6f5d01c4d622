# SPDX-License-Identifier: Apache-2.0
"""What requests at the people's door were answered, so that a repetition gets the same."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """An answer, under the key that its request came with."""

    caller: str
    """Hash of who asked and what they were allowed."""
    key: str
    """As the caller chose it."""
    request: str
    """Hash of all that was asked."""
    answer: str
    kept_at: datetime


class KeptAnswers(Protocol):
    """Answers that are kept for a while."""

    async def get(self, caller: str, key: str) -> KeptAnswer | None:
        """Return the caller's answer under this key."""
        ...

    async def put(self, answer: KeptAnswer) -> None:
        """Keep one; a key that the caller has used is a HomeportError(ALREADY_EXISTS)."""
        ...

    async def forget(self, before: datetime) -> None:
        """Drop what was kept earlier than that."""
        ...
