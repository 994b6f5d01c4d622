# SPDX-License-Identifier: Apache-2.0
"""End what nobody took up in time: commands to devices, offers to tenants."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from homeport.clock import Clock
from homeport.errors import HomeportError
from homeport.provisioning.life.answer import expire
from homeport.provisioning.life.offer_ends import expire_offers
from homeport.provisioning.ports import Registry, Transaction
from homeport.telemetry import DETAIL, note

_log: Final = logging.getLogger("homeport.server")

PAGE: Final = 500
"""In one transaction: others wait for it for some milliseconds."""
LOOK_EVERY: Final = timedelta(minutes=1)
"""Nobody can take up what is overdue: this is for the people who look."""


class _Expire(Protocol):
    def __call__(self, tx: Transaction, *, now: datetime, limit: int) -> Awaitable[int]: ...


_VERBS: Final[tuple[_Expire, ...]] = (expire, expire_offers)


async def end_overdue(registry: Registry, clock: Clock) -> None:
    """Look again and again, until cancelled."""
    while True:
        for verb in _VERBS:
            await _end_all(registry, partial(verb, now=clock.now(), limit=PAGE))
        await clock.sleep(LOOK_EVERY)


async def _end_all(registry: Registry, verb: Callable[[Transaction], Awaitable[int]]) -> None:
    try:
        while await registry.transact(verb) == PAGE:
            pass
    except HomeportError as error:
        note(_log, logging.WARNING, "what is overdue was not ended", **{DETAIL: str(error)})
