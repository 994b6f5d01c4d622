# SPDX-License-Identifier: Apache-2.0
"""Sales records, and the serial numbers that they speak of."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeport.errors import MalformedError

_COUNTED: Final = re.compile(r"(?s)(.*?)([0-9]+)")


@dataclass(frozen=True, slots=True)
class SerialRange:
    """Serial numbers from first to last, both included: one prefix, counted digits of one width."""

    first: str
    last: str

    def __post_init__(self) -> None:
        """Refuse a range that is not counted, or runs backwards (MalformedError)."""
        if self.first == self.last:
            return
        low, high = _COUNTED.fullmatch(self.first), _COUNTED.fullmatch(self.last)
        if not low or not high or low[1] != high[1] or len(low[2]) != len(high[2]):
            raise MalformedError(
                f"{self.first}..{self.last} is not a range: both ends need the same prefix and as"
                " many digits"
            )
        if low[2] > high[2]:
            raise MalformedError(f"{self.first}..{self.last} runs backwards")

    def __contains__(self, serial_number: str) -> bool:
        """Say whether the serial number lies in the range."""
        if len(serial_number) != len(self.first) or self.first == self.last:
            return serial_number == self.first
        width = self._width
        prefix, count = serial_number[:-width], serial_number[-width:]
        # Equal width makes the order of text the order of numbers.
        is_counted = count.isascii() and count.isdigit() and prefix == self.first[:-width]
        return is_counted and self.first <= serial_number <= self.last

    def overlaps(self, other: "SerialRange") -> bool:
        """Say whether a serial number could lie in both."""
        ends = (other.first in self, other.last in self, self.first in other, self.last in other)
        return any(ends)

    @property
    def _width(self) -> int:
        """Digits that are counted: those at the end that the two ends have in common."""
        counted = _COUNTED.fullmatch(self.first)
        return len(counted[2]) if counted else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesRecord:
    """A statement that devices went to a tenant, and to which upstream they belong."""

    serial_numbers: SerialRange
    tenant: str
    upstream: str | None
    """None: the tenant's default upstream."""
    authority: str | None = None
    """The issuer authority the record speaks of; None: whichever has such a serial number."""
    recorded_at: datetime
    source: str
    """Where it came from, for the timeline: file name and line, or who typed it."""
