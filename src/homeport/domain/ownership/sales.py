# SPDX-License-Identifier: Apache-2.0
"""Sales records: what ERP systems say about which devices went to whom.

Rules: of the records that speak of a device the narrowest decides, of equally narrow ones the
latest; a whole model is wider than any range. A correction and a cancellation are records as a sale
is; what they may do, and a sale may not, is to contradict what was said before.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from homeport.errors import MalformedError

_COUNTED: Final = re.compile(r"(?s)(.*?)([0-9]+)")

MODEL_MAX: Final = 64
"""Characters of a model's name."""


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
        width = self._digits
        prefix, count = serial_number[:-width], serial_number[-width:]
        # Equal width makes the order of text the order of numbers.
        is_counted = count.isascii() and count.isdigit() and prefix == self.first[:-width]
        return is_counted and self.first <= serial_number <= self.last

    def __str__(self) -> str:
        return self.first if self.first == self.last else f"{self.first}..{self.last}"

    def overlaps(self, other: "SerialRange") -> bool:
        """Say whether a serial number could lie in both."""
        ends = (other.first in self, other.last in self, self.first in other, self.last in other)
        return any(ends)

    def covers(self, other: "SerialRange") -> bool:
        """Say whether all serial numbers of the other lie in this one."""
        return other.first in self and other.last in self

    def shared_with(self, other: "SerialRange") -> "SerialRange":
        """Return the serial numbers that lie in both, which must overlap."""
        return SerialRange(max(self.first, other.first), min(self.last, other.last))

    @property
    def width(self) -> int:
        """How many serial numbers it has, less one."""
        return 0 if self.first == self.last else self._count(self.last) - self._count(self.first)

    def _count(self, serial_number: str) -> int:
        return int(serial_number[-self._digits :])

    @property
    def _digits(self) -> int:
        """Digits that are counted: those at the end that the two ends have in common."""
        counted = _COUNTED.fullmatch(self.first)
        return len(counted[2]) if counted else 0


@dataclass(frozen=True, slots=True)
class WholeModel:
    """All devices of a model, of one maker, that no record by serial number speaks of."""

    name: str

    def __post_init__(self) -> None:
        """Refuse what could not be a model's name (MalformedError)."""
        if not 0 < len(self.name) <= MODEL_MAX or not self.name.isprintable():
            raise MalformedError(f"a model has 1 to {MODEL_MAX} printable characters")

    def __str__(self) -> str:
        return f"model {self.name}"


Scope: TypeAlias = SerialRange | WholeModel
"""The devices that a record speaks of."""


def only_serial(scope: Scope) -> str | None:
    """Return the serial number of a scope that has only one."""
    is_one = isinstance(scope, SerialRange) and scope.first == scope.last
    return scope.first if isinstance(scope, SerialRange) and is_one else None


class SalesAction(StrEnum):
    """What a record says."""

    SALE = "sale"  # they went to the tenant
    CORRECTION = "correction"  # they went to this tenant, whatever was said before
    CANCELLATION = "cancellation"  # they went to nobody after all


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesRecord:
    """A statement that devices went to a tenant, and to which upstream they belong."""

    scope: Scope
    tenant: str | None
    """None: to nobody; only a cancellation says so."""
    upstream: str | None = None
    """None: the tenant's default upstream."""
    authority: str | None = None
    """The issuer authority the record speaks of; None: whichever has such a serial number. A whole
    model always has one."""
    action: SalesAction = SalesAction.SALE
    reference: str | None = None
    """The order's number: what is said again under another one is said anew."""
    recorded_at: datetime
    source: str
    """Where it came from, for the timeline: file name and line, or who typed it."""
    number: int = 0
    """Its place in the order of records, given by the registry."""
    imported_by: int | None = None
    """Number of the import that it belongs to: it counts from when that import does."""

    def says_as(self, other: "SalesRecord") -> bool:
        """Say whether both state the same of the same devices."""
        return self.statement == other.statement

    def agrees_with(self, other: "SalesRecord") -> bool:
        """Say whether the devices go to the same place by both."""
        return (self.tenant, self.upstream) == (other.tenant, other.upstream)

    @property
    def statement(self) -> tuple[object, ...]:
        """What it states, whenever and wherever it was said."""
        what = (self.scope, self.authority, self.action)
        return (*what, self.tenant, self.upstream, self.reference)

    def yields_to(self, other: "SalesRecord") -> bool:
        """Say whether the other decides where both speak of a device."""
        is_later = other.width == self.width and other.number > self.number
        return other.width < self.width or is_later

    @property
    def width(self) -> float:
        """How wide its scope is; a model is wider than any range."""
        return self.scope.width if isinstance(self.scope, SerialRange) else float("inf")


def contradicted(new: SalesRecord, known: Sequence[SalesRecord]) -> SalesRecord | None:
    """Return a record that a new sale contradicts: another place for a device of both.

    `known` are all records that overlap the new one. What a correction or a cancellation has
    already taken back is not contradicted.
    """
    rivals = (r for r in known if r.tenant is not None and not r.agrees_with(new))
    return next((rival for rival in rivals if not _is_taken_back(rival, new, known)), None)


def _is_taken_back(rival: SalesRecord, new: SalesRecord, known: Sequence[SalesRecord]) -> bool:
    return any(
        rival.yields_to(other)
        and (other.tenant is None or other.agrees_with(new))
        and _covers(other.scope, rival.scope, new.scope)
        for other in known
    )


def _covers(scope: Scope, one: Scope, other: Scope) -> bool:
    """Say whether the scope has all devices that the two have in common."""
    if isinstance(scope, SerialRange) and isinstance(one, SerialRange):
        return isinstance(other, SerialRange) and scope.covers(one.shared_with(other))
    return scope == one == other
