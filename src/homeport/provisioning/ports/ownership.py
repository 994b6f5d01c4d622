# SPDX-License-Identifier: Apache-2.0
"""Which devices were sold to whom, and who claims them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from homeport.domain.claim import Claim, ClaimCode
from homeport.domain.device import Device, DeviceId
from homeport.domain.ownership import SalesImport, SalesRecord, Scope


class SalesRecords(Protocol):
    """Which devices were sold to whom, also before they were ever seen."""

    async def add(self, *records: SalesRecord) -> None:
        """Keep records; their numbers are given here, in this order."""
        ...

    async def covering(self, device: Device) -> SalesRecord | None:
        """Return the record that decides about the device: the narrowest, then the latest.

        Records of an import that is still being read do not count; a whole model speaks of minted
        devices only.
        """
        ...

    async def overlapping(self, *records: SalesRecord) -> Sequence[Sequence[SalesRecord]]:
        """Return for each the kept ones that could speak of the same devices, counting or not.

        At most 100 each, by their scopes and authorities; nothing else of `records` matters.

        Records of whole models and of serial numbers do not overlap: the latter decide.
        """
        ...

    async def of_scope(self, scope: Scope, authority: str | None) -> Sequence[SalesRecord]:
        """Return records of exactly this scope and authority (at most 100), latest first."""
        ...

    async def of_import(self, number: int, *, after: int, limit: int) -> Sequence[SalesRecord]:
        """Return the records of an import, by number, beyond `after`."""
        ...

    async def forget(self, number: int, *, after: int, limit: int) -> int:
        """Forget some records of an import; return how many there were."""
        ...

    async def last(self) -> int:
        """Return the number of the newest record, 0 when there is none."""
        ...


class SalesImports(Protocol):
    """Imports of many records, and how far they have come."""

    async def begin(self, digest: str, source: str, after: int, now: datetime) -> SalesImport:
        """Begin an import; it gets a number."""
        ...

    async def get(self, number: int) -> SalesImport | None:
        """Return one by its number."""
        ...

    async def latest(self, digest: str) -> SalesImport | None:
        """Return the newest import of this content."""
        ...

    async def put(self, imported: SalesImport) -> None:
        """Change state and time of the one with this number."""
        ...

    async def abandoned(self, before: datetime) -> Sequence[SalesImport]:
        """Return those that are being read and were not touched since (at most 100)."""
        ...


class Claims(Protocol):
    """Who says, by a code, that a device is theirs."""

    async def get(self, claim: str) -> Claim | None:
        """Return one by its id."""
        ...

    async def pending(self, device: DeviceId) -> Claim | None:
        """Return the device's pending claim; there is at most one."""
        ...

    async def page(self, tenant: str | None, *, after: str | None, limit: int) -> Sequence[Claim]:
        """Return pending claims of the tenant (None: of all), by id, beyond `after`."""
        ...

    async def put(self, claim: Claim) -> None:
        """Add it, or change the state of the one with this id.

        A second pending claim for one device is a HomeportError(ALREADY_EXISTS).
        """
        ...


class ClaimCodes(Protocol):
    """The code that claims each device, as its hash."""

    async def get(self, device: DeviceId) -> ClaimCode | None:
        """Return a device's, whether or not it still counts."""
        ...

    async def put(self, device: DeviceId, code: ClaimCode) -> None:
        """Give a registered device another code; the earlier one is forgotten."""
        ...
