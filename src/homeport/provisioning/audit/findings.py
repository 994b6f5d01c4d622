# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with an audit trail, and the report of a verification."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

FINDINGS_MAX: Final = 1000
"""Kept in full; further ones are only counted. A trail that is all wrong needs no longer list."""


class Wrong(StrEnum):
    """What is wrong."""

    EVENT_ALTERED = "event-altered"
    EVENT_REMOVED = "event-removed"
    EVENT_INSERTED = "event-inserted"
    EVENT_MOVED = "event-moved"
    EVENTS_UNFIT = "events-unfit"
    """Something between two cursors; the marks that would say what were changed, too."""
    HEAD_UNPROVEN = "head-unproven"
    HEAD_ALTERED = "head-altered"
    HEAD_MISSING = "head-missing"
    HEAD_REPLACED = "head-replaced"
    """Another head of this number was signed and exported: the trail was written anew."""
    CHAIN_BROKEN = "chain-broken"
    TAIL_CUT_OFF = "tail-cut-off"
    """A head was exported that is not here any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    wrong: Wrong
    detail: str
    """A sentence for people."""
    cursor: int | None = None
    """The event; or the first of those that may be meant."""
    head: int | None = None
    """Number of the head."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What a verification has seen."""

    events: int = 0
    """Events that a head covers."""
    heads: int = 0
    compared: int = 0
    """Heads kept elsewhere that were compared."""
    unreadable: int = 0
    """Lines kept elsewhere that are no heads, such as one that a full disk has cut."""
    last: int = 0
    """Cursor of the last event under a head."""
    unsealed: int = 0
    """Events that no head covers yet: nothing is shown of these."""
    unsealed_since: datetime | None = None
    platforms: set[str] = field(default_factory=set)
    """Names under which heads were signed."""
    findings: list[Finding] = field(default_factory=list)
    count: int = 0
    """How many findings there are, also beyond FINDINGS_MAX."""

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return self.count == 0

    def found(self, finding: Finding) -> None:
        """Note what is wrong."""
        self.count += 1
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "holds": self.holds,
            "events": self.events,
            "heads": self.heads,
            "compared": self.compared,
            "unreadable": self.unreadable,
            "last": self.last,
            "unsealed": self.unsealed,
            "unsealed_since": self.unsealed_since,
            "platforms": sorted(self.platforms),
            "wrong": self.count,
            "findings": [
                {"wrong": f.wrong, "cursor": f.cursor, "head": f.head, "detail": f.detail}
                for f in self.findings
            ],
        }
