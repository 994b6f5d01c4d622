# SPDX-License-Identifier: Apache-2.0
"""What the agent is doing now and what failed lately, for `status`; nobody decides by it.

It is kept in `status.json` in the state directory: replaced as a whole, but not flushed to the
disk, because it changes with every attempt and flash wears out.
"""

import logging
import os
from collections import deque
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from homeport import VERSION
from homeport.agent.journey import State
from homeport.agent.memory.records import Saved, Told
from homeport.clock import Clock
from homeport.errors import HomeportError
from homeport.protocols.native.device import PlatformRefusalError

logger = logging.getLogger(__name__)

FAILURES_KEPT: Final = 12
"""A round of discovery tries fewer addresses."""


class Failure(Struct, frozen=True, kw_only=True):
    """Something that did not work."""

    at: int
    what: str
    """What was tried, such as "https://10.0.0.5 (dhcp)"."""
    code: str
    title: str
    detail: str
    advice: str


class Status(Struct, frozen=True, kw_only=True):
    """What `homeport agent status` shows."""

    version: str
    process: int
    at: int
    state: State
    since: int
    model: str
    serial_number: str
    key_kind: str
    """Where the IDevID's key lives."""
    device: str = ""
    tenant: str = ""
    upstream: str = ""
    trying: str = ""
    """The address that is being tried."""
    endpoint: str = ""
    """Where messages go now; empty while not connected."""
    is_held: bool = False
    """Connected, and in quarantine: no messages go up or down."""
    certificate_ends: int = 0
    renew_at: int = 0
    next_attempt: int = 0
    """When the agent tries again; 0: it does not wait."""
    clock_problem: str = ""
    told: Told | None = None
    """What the platform says is missing or refused."""
    failures: tuple[Failure, ...] = ()


class Diary:
    """Writes status.json; failing to do so stops nothing."""

    def __init__(self, directory: Path, clock: Clock, model: str, serial_number: str) -> None:
        """Take the state directory and the device's name."""
        self._path = directory / "status.json"
        self._clock = clock
        self._failures: deque[Failure] = deque(maxlen=FAILURES_KEPT)
        self._status = Status(
            version=VERSION,
            process=os.getpid(),
            at=0,
            state=State.UNPROVISIONED,
            since=0,
            model=model,
            serial_number=serial_number,
            key_kind="",
        )

    @property
    def status(self) -> Status:
        """What is happening now."""
        return self._status

    def failed(self, what: str, error: HomeportError) -> None:
        """Remember a failure, and log it."""
        logger.warning("%s: %s", what, error)
        code = error.platform_code if isinstance(error, PlatformRefusalError) else error.code
        self._failures.append(
            Failure(
                at=self._now(),
                what=what,
                code=code,
                title=error.title,
                detail=error.detail,
                advice=error.advice,
            )
        )
        self.update()

    def worked(self) -> None:
        """Forget the failures: they are over."""
        self._failures.clear()

    def resting(self, duration: timedelta) -> None:
        """Say when the next attempt will be."""
        self.update(next_attempt=self._now() + round(duration.total_seconds()))

    def show(self, saved: Saved) -> None:
        """Take over what was written down."""
        credential = saved.credential
        self.update(
            state=saved.journey,
            since=saved.since,
            told=saved.told,
            device=credential.device if credential else "",
            tenant=credential.tenant if credential else "",
            upstream=credential.upstream if credential else "",
            certificate_ends=credential.not_after if credential else 0,
            renew_at=credential.renew_at if credential else 0,
        )

    def update(self, **changes: object) -> None:
        """Change what is shown."""
        changes |= {"at": self._now(), "failures": tuple(self._failures)}
        self._status = msgspec.structs.replace(self._status, **changes)
        partial = self._path.with_name("status.json.new")
        try:
            partial.write_bytes(msgspec.json.encode(self._status))
            partial.replace(self._path)
        except OSError as error:
            logger.warning("status.json cannot be written: %s", error.strerror)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def read_status(directory: Path) -> Status | None:
    """Read what an agent wrote last; None if there is nothing that can be read."""
    try:
        return msgspec.json.decode((directory / "status.json").read_bytes(), type=Status)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
