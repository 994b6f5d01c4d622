# SPDX-License-Identifier: Apache-2.0
"""Bring each head out of the platform's reach: to the log, and to the file of `audit.heads`."""

import asyncio
import logging
from typing import Final

from homeport.artefacts.audit_head import peek_head
from homeport.errors import HomeportError
from homeport.provisioning.ports import Registry, SealedHead, Transaction
from homeport.server.audit.heads_file import HeadsFile
from homeport.server.metrics import AUDIT_HEADS_PENDING
from homeport.telemetry import DETAIL, note

_log: Final = logging.getLogger("homeport.audit")

PAGE: Final = 100
"""Heads read at once."""


class Exporting:
    """Remembers how far it has come by the end of the file itself; without a file, by nothing."""

    def __init__(self, registry: Registry, file: HeadsFile | None) -> None:
        """Take where heads are, and where they go."""
        self._registry, self._file = registry, file
        self._number: int | None = None
        self._complaint = ""

    async def catch_up(self) -> bool:
        """Export what was not exported yet; say whether everything was. A reason is logged once."""
        try:
            if self._number is None:
                self._number = await self._begin()
            while heads := await self._beyond(self._number):
                if self._file is not None:
                    await asyncio.to_thread(self._file.append, heads)
                for head in heads:
                    _tell(head)
                self._number = heads[-1].number
        except HomeportError as error:
            if str(error) != self._complaint:
                facts = {DETAIL: str(error)}
                note(_log, logging.ERROR, "heads of the audit trail are not exported", **facts)
            self._complaint = str(error)
            AUDIT_HEADS_PENDING.set(await self._pending())
            return False
        self._complaint = ""
        AUDIT_HEADS_PENDING.set(0)
        return True

    async def _begin(self) -> int:
        newest = await self._newest()
        if self._file is None:
            return newest
        # A file that is ahead of the registry is another history's, or the registry was put back.
        return min(await asyncio.to_thread(self._file.last_number), newest)

    async def _newest(self) -> int:
        latest = await self._registry.read(lambda tx: tx.heads.latest())
        return latest.number if latest else 0

    async def _pending(self) -> int:
        return await self._newest() - (self._number or 0)

    async def _beyond(self, number: int) -> list[SealedHead]:
        async def look(tx: Transaction) -> list[SealedHead]:
            return list(await tx.heads.beyond(number, limit=PAGE))

        return await self._registry.read(look)


def _tell(head: SealedHead) -> None:
    """Log it: a log that is kept elsewhere is a place for heads, too."""
    stated = peek_head(head.jws)
    facts = {"number": stated.number, "last": stated.last, "head": stated.head}
    note(_log, logging.INFO, "the audit trail was sealed", **facts)
