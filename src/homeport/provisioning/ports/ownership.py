# SPDX-License-Identifier: Apache-2.0
"""Which devices were sold to whom."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from homeport.domain.device import Device
from homeport.domain.ownership import SalesRecord, SerialRange


class SalesRecords(Protocol):
    """Which devices were sold to whom, also before they were ever seen."""

    async def add(self, records: Iterable[SalesRecord]) -> int:
        """Keep records; return how many said something new.

        One that repeats the latest of exactly its range and authority (same tenant, same upstream)
        is not kept.
        """
        ...

    async def covering(self, device: Device) -> SalesRecord | None:
        """Return the record that speaks of the device; the narrowest wins, then the latest."""
        ...

    async def overlapping(
        self, serial_numbers: SerialRange, authority: str | None
    ) -> Sequence[SalesRecord]:
        """Return records that could speak of the same devices (at most 100)."""
        ...
