# SPDX-License-Identifier: Apache-2.0
"""What is in a factory: its orders and how far they are."""

from dataclasses import dataclass
from pathlib import Path

from homeport.factory.archive.file import read_archive
from homeport.factory.archive.records import Order


@dataclass(slots=True)
class OrderState:
    """One order and how many of its devices are minted."""

    order: Order
    minted: int = 0

    @property
    def missing(self) -> int:
        """How many devices an interruption has left to mint."""
        return self.order.count - self.minted


def take_census(archive: Path) -> list[OrderState]:
    """Return the orders, in order. Raise FACTORY_BUSY, ARCHIVE_DAMAGED."""
    found: dict[int, OrderState] = {}
    for record in read_archive(archive):
        if isinstance(record, Order):
            found[record.id] = OrderState(record)
        else:
            found[record.order].minted += 1
    return list(found.values())
