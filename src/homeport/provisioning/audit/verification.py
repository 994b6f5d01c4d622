# SPDX-License-Identifier: Apache-2.0
"""Verify a trail that is read from its beginning to its end, wherever it comes from. No I/O.

The caller has each head proven, gives the events since the head before, then those that have no
head yet, then the heads that were kept elsewhere. One fault does not make all that follows wrong:
each stretch is checked from the link that its own head states; that heads join is checked apart.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from homeport.artefacts.audit_head import AuditHead, HeadVerifier, peek_head
from homeport.domain.trail.chain import START, KeptEvent
from homeport.errors import HomeportError, MalformedError
from homeport.provisioning.audit.findings import Finding, Report, Wrong
from homeport.provisioning.audit.stretch import compare

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Verification:
    """Takes a trail in order and reports."""

    def __init__(self, verifier: HeadVerifier) -> None:
        """Take who checks signatures."""
        self.report = Report()
        self._verifier = verifier
        self._heads: dict[int, bytes] = {}
        self._number = 0
        self._link: str | None = START.hex()
        """Where the head before has stopped; None: nobody knows."""

    def prove(self, jws: bytes, place: int | None = None) -> AuditHead | None:
        """Return what the next head states, if it is signed and stands in its `place`."""
        self.report.heads += 1
        try:
            head = self._verifier.verify(jws)
        except HomeportError as error:
            detail = f"a head is not one that the platform has signed: {error}"
            self._unproven(detail, place or _claimed(jws) or self._number + 1)
            return None
        if head.number != place if place else head.number <= self._number:
            place = place or self._number + 1
            self._unproven(f"in place of head {place} stands head {head.number}", place)
            return None
        return head

    def _unproven(self, detail: str, number: int) -> None:
        self.report.found(Finding(wrong=Wrong.HEAD_UNPROVEN, detail=detail, head=number))
        self._link = None

    def begin_of(self, head: AuditHead) -> int | None:
        """Return the cursor beyond which its events begin; None: beyond those before."""
        follows = self._link is not None and head.number == self._number + 1
        return None if follows else head.first - 1

    def take(self, head: AuditHead, marks: bytes, events: Sequence[KeptEvent]) -> None:
        """Check the events between the end of the head before and the end of this one."""
        self.report.events += len(events)
        self.report.platforms.add(head.platform)
        self.report.last = max(self.report.last, head.last)
        self._join(head)
        for finding in compare(head, marks, events):
            self.report.found(finding)

    def end(self, events: Sequence[KeptEvent]) -> None:
        """Take events that no head covers; again for each page of them."""
        self.report.unsealed += len(events)
        if events and self.report.unsealed_since is None:
            at: object = events[0].at  # what was altered need not be a number
            if isinstance(at, int) and abs(at) < 1 << 57:
                self.report.unsealed_since = _EPOCH + timedelta(microseconds=at)

    def compare_with(self, jws: bytes) -> None:
        """Compare a head that was kept elsewhere with the one that is here."""
        try:
            head = self._verifier.verify(jws)
        except MalformedError:
            # A line that a full disk has cut: on a disk that cannot be rewritten it stays for ever.
            self.report.unreadable += 1
            return
        except HomeportError as error:
            detail = f"a head that was kept elsewhere proves nothing: {error}"
            self.report.found(Finding(wrong=Wrong.HEAD_UNPROVEN, detail=detail))
            return
        self.report.compared += 1
        here = self._heads.get(head.number)
        if here == bytes.fromhex(head.head):
            return
        self.report.found(_differing(head, self.report.last, self._number, is_here=bool(here)))

    def _join(self, head: AuditHead) -> None:
        """Check that the head goes on where the one before has stopped."""
        number = head.number
        is_next = number == self._number + 1
        if not is_next and self._link is not None:
            detail = f"before head {number} there should be head {number - 1}"
            self.report.found(
                Finding(wrong=Wrong.HEAD_MISSING, detail=detail, cursor=head.first, head=number - 1)
            )
        elif self._link not in (None, head.previous):
            detail = f"head {number} does not go on where head {number - 1} has stopped"
            self.report.found(
                Finding(wrong=Wrong.CHAIN_BROKEN, detail=detail, cursor=head.first, head=number)
            )
        self._number, self._link = number, head.head
        self._heads[number] = bytes.fromhex(head.head)


def _claimed(jws: bytes) -> int | None:
    try:
        return peek_head(jws).number
    except HomeportError:
        return None


def _differing(head: AuditHead, last: int, number: int, *, is_here: bool) -> Finding:
    signed = f"head {head.number}, signed on {head.at:%Y-%m-%d %H:%M:%S} and kept elsewhere,"
    if is_here:
        detail = f"{signed} is not the one that is here: events up to {head.last} were rewritten"
        wrong, cursor = Wrong.HEAD_REPLACED, head.first
    elif head.number > number:
        detail = f"{signed} covers events up to {head.last}; here the heads end at {last}"
        wrong, cursor = Wrong.TAIL_CUT_OFF, last + 1
    else:
        detail = f"{signed} is not here"
        wrong, cursor = Wrong.HEAD_MISSING, head.first
    return Finding(wrong=wrong, detail=detail, cursor=cursor, head=head.number)
