# SPDX-License-Identifier: Apache-2.0
"""What time it is, and waiting. Whatever needs time takes a `Clock`, so that tests can turn it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time, steady time and waiting."""

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Wait without blocking others."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    async def sleep(self, duration: timedelta) -> None:
        """Wait without blocking others."""
        await asyncio.sleep(duration.total_seconds())
