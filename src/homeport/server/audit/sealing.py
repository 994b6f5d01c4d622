# SPDX-License-Identifier: Apache-2.0
"""Keep the audit trail sealed, and its heads exported, while the platform runs.

Nobody waits for it: events are recorded first and sealed within `audit.seal_every`, or when a
thousand have gathered; once more when the platform ends. All of its state is in the registry and at
the end of the exported file, so a kill at any instant loses nothing and repeats at most a line.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from homeport.artefacts.audit_head import peek_head
from homeport.clock import Clock
from homeport.errors import HomeportError
from homeport.pki.jws import JwsSigner
from homeport.provisioning.audit.seal import SEAL_MAX, seal
from homeport.provisioning.ports import Registry, Transaction
from homeport.server.audit.exporting import Exporting
from homeport.server.metrics import AUDIT_SEALED
from homeport.telemetry import DETAIL, note

_log: Final = logging.getLogger("homeport.audit")

LOOK_EVERY: Final = timedelta(seconds=1)
"""For whether a thousand events have gathered; a look at an unchanged registry takes 10 µs."""

END_LIMIT: Final = timedelta(seconds=5)
"""For the last head, when the platform ends."""


class Sealing:
    """One task."""

    def __init__(
        self,
        registry: Registry,
        exporting: Exporting,
        clock: Clock,
        *,
        signer: Callable[[], JwsSigner],
        platform: str,
        every: timedelta,
    ) -> None:
        """Take who signs (asked each time: certificates are renewed), as whom, and how often."""
        self._registry, self._exporting, self._clock = registry, exporting, clock
        self._signer, self._platform = signer, platform
        self._every = every.total_seconds()
        self._version = -1
        self._since: float | None = None
        """When the first event was seen that has no head yet."""

    async def keep(self) -> None:
        """Run until cancelled."""
        try:
            exported = False
            while True:
                if await self._look() or not exported:
                    exported = await self._exporting.catch_up()
                await self._clock.sleep(LOOK_EVERY)
        finally:
            with suppress(TimeoutError, HomeportError):
                async with asyncio.timeout(END_LIMIT.total_seconds()):
                    await self._seal()
                    await self._exporting.catch_up()

    async def _look(self) -> bool:
        """Seal if it is time; say whether there are new heads."""
        try:
            return await self._is_due() and await self._seal()
        except HomeportError as error:
            # What cannot be sealed stays recorded; a later look tries again.
            note(_log, logging.ERROR, "the audit trail was not sealed", **{DETAIL: str(error)})
            self._since = self._clock.monotonic()
            return False

    async def _is_due(self) -> bool:
        """Say whether events have waited long enough, or are many."""
        version = await self._registry.version()
        if version != self._version:
            self._version = version
            waiting = await self._registry.read(_waiting)
            if waiting >= SEAL_MAX:
                return True
            if waiting and self._since is None:
                self._since = self._clock.monotonic()
        return self._since is not None and self._clock.monotonic() - self._since >= self._every

    async def _seal(self) -> bool:
        """Seal all that there is; say whether there was anything."""
        count = 0
        while head := await seal(
            self._registry, self._signer(), platform=self._platform, now=self._clock.now()
        ):
            count += peek_head(head.jws).count
        self._since = None
        AUDIT_SEALED.inc(count)
        return count > 0


async def _waiting(tx: Transaction) -> int:
    """Return about how many events have no head yet: cursors may have gaps."""
    latest = await tx.heads.latest()
    return await tx.audit.last() - (peek_head(latest.jws).last if latest else 0)
