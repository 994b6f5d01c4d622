# SPDX-License-Identifier: Apache-2.0
"""What is in a factory: its orders and how far they are."""

from dataclasses import dataclass, field
from pathlib import Path

from homeport.factory.archive.file import read_archive
from homeport.factory.archive.records import Order, Stores


@dataclass(slots=True)
class OrderState:
    """One order and how many of its devices are minted."""

    order: Order
    minted: int = 0
    unwritten: list[str] = field(default_factory=list)
    """Directories in which an interruption has left stores to write."""

    @property
    def missing(self) -> int:
        """How many devices an interruption has left to mint."""
        return self.order.count - self.minted


def take_census(archive: Path) -> list[OrderState]:
    """Return the orders, in order. Raise FACTORY_BUSY, ARCHIVE_DAMAGED."""
    found: dict[int, OrderState] = {}
    for record in read_archive(archive):
        match record:
            case Order():
                found[record.id] = OrderState(record)
            case Stores(done=False):
                found[record.order].unwritten.append(record.directory)
            case Stores():
                found[record.order].unwritten.remove(record.directory)
            case _:
                found[record.order].minted += 1
    return list(found.values())
