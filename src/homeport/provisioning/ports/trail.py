# SPDX-License-Identifier: Apache-2.0
"""Everything that happened, in order, and the heads of the hash chain over it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from homeport.domain.audit import AuditEvent, Name, Wanted
from homeport.domain.device import DeviceId
from homeport.domain.trail.chain import KeptEvent


class AuditTrail(Protocol):
    """Everything that happened, in order."""

    async def record(self, *events: AuditEvent) -> None:
        """Append; the cursors are given here."""
        ...

    async def of_device(
        self, device: DeviceId, *, after: int = 0, limit: int = 1000
    ) -> Sequence[AuditEvent]:
        """Return a device's timeline beyond the cursor, in order."""
        ...

    async def since(
        self, cursor: int, *, names: Collection[Name] = (), limit: int = 1000
    ) -> Sequence[AuditEvent]:
        """Return what came after the cursor, in order; only these names (at most 32) if any."""
        ...

    async def last(self) -> int:
        """Return the cursor of the newest event, 0 when there is none."""
        ...

    async def search(
        self, wanted: Wanted, *, after: int | None, limit: int, newest_first: bool = False
    ) -> Sequence[AuditEvent]:
        """Return events that are wanted, beyond the cursor `after` in the order asked for."""
        ...

    async def kept(self, after: int, *, limit: int) -> Sequence[KeptEvent]:
        """Return events as they are kept, beyond the cursor, in order; never fail over one.

        Only those before which nothing can be committed any more: what is chained stays in place.
        """
        ...


@dataclass(frozen=True, slots=True)
class SealedHead:
    """A head of the chain, as kept: a signed statement, and marks that point at single events."""

    number: int
    """1, 2, 3…"""
    last: int
    """Cursor of the last event that it covers."""
    jws: bytes
    """`homeport.artefacts.audit_head`."""
    marks: bytes
    """`homeport.domain.trail.chain.Chain.marks` of the events that it covers."""


class AuditHeads(Protocol):
    """The heads of the chain."""

    async def latest(self) -> SealedHead | None:
        """Return the head with the highest number."""
        ...

    async def beyond(self, number: int, *, limit: int) -> Sequence[SealedHead]:
        """Return heads with higher numbers, in order."""
        ...

    async def add(self, head: SealedHead) -> None:
        """Keep one more; a number that is there already is a HomeportError(ALREADY_EXISTS)."""
        ...
