# SPDX-License-Identifier: Apache-2.0
"""One stretch of the trail against the head over it: what became of which event. No I/O.

The signed head proves; the marks beside it point at single events. Where the marks were changed as
well, what can be said is which stretch it is.
"""

from collections.abc import Iterator, Sequence

from homeport.artefacts.audit_head import AuditHead
from homeport.domain.trail.chain import KeptEvent, chained, digest_of, read_marks
from homeport.provisioning.audit.findings import Finding, Wrong


def compare(head: AuditHead, marks: bytes, events: Sequence[KeptEvent]) -> Iterator[Finding]:
    """Yield what is wrong with the events that stand where the head says; nothing if they hold."""
    chain = chained(events, bytes.fromhex(head.previous))
    if chain.head.hex() == head.head:
        if marks != chain.marks:
            detail = f"the marks beside head {head.number} were changed; its events hold"
            yield Finding(wrong=Wrong.HEAD_ALTERED, detail=detail, head=head.number)
        return
    found = list(_pointed_at(head, read_marks(marks), events))
    yield from found
    if not found:
        detail = (
            f"one or more of the events {head.first} to {head.last} are not those that were"
            f" signed, and the marks beside head {head.number} do not say which"
        )
        yield Finding(wrong=Wrong.EVENTS_UNFIT, detail=detail, cursor=head.first, head=head.number)


def _pointed_at(
    head: AuditHead, marks: dict[int, bytes], events: Sequence[KeptEvent]
) -> Iterator[Finding]:
    now = {event.cursor: digest_of(event)[:8] for event in events}
    places = {digest: cursor for cursor, digest in marks.items()}
    for cursor in sorted(marks.keys() | now.keys()):
        if cursor not in now:
            wrong, detail = Wrong.EVENT_REMOVED, f"event {cursor} was removed"
        elif cursor not in marks:
            wrong, detail = Wrong.EVENT_INSERTED, f"event {cursor} was put in"
        elif now[cursor] == marks[cursor]:
            continue
        elif now[cursor] in places:
            wrong = Wrong.EVENT_MOVED
            detail = f"at {cursor} stands the event that stood at {places[now[cursor]]}"
        else:
            wrong, detail = Wrong.EVENT_ALTERED, f"event {cursor} was altered"
        yield Finding(wrong=wrong, detail=detail, cursor=cursor, head=head.number)
