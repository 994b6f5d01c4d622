# SPDX-License-Identifier: Apache-2.0
"""What is in a factory: its orders and how far they are."""

from dataclasses import dataclass

from homeport.factory.archive import read_archive
from homeport.factory.factory import Factory
from homeport.factory.records import Order


@dataclass(slots=True)
class OrderState:
    """One order and how many of its devices are minted."""

    order: Order
    minted: int = 0

    @property
    def missing(self) -> int:
        """How many devices an interruption has left to mint."""
        return self.order.count - self.minted


def take_census(factory: Factory) -> list[OrderState]:
    """Return the orders, in order. Raise FACTORY_BUSY, ARCHIVE_DAMAGED."""
    found: dict[int, OrderState] = {}
    for record in read_archive(factory.archive):
        if isinstance(record, Order):
            found[record.id] = OrderState(record)
        else:
            found[record.order].minted += 1
    return list(found.values())
