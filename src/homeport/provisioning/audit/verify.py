# SPDX-License-Identifier: Apache-2.0
"""Verify the trail that is in the registry, page by page, while the platform goes on."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from homeport.artefacts.audit_head import HeadVerifier
from homeport.domain.trail.chain import KeptEvent
from homeport.provisioning.audit.findings import Report
from homeport.provisioning.audit.verification import Verification
from homeport.provisioning.ports import Registry, SealedHead

PAGE: Final = 2000
"""Events read at once; twice what one head covers."""

HEADS: Final = 200
"""Heads read at once."""

BEGIN: Final = -(1 << 63)
"""Cursors begin at 1; what stands before that was put there by hand."""


async def verify_trail(
    registry: Registry,
    verifier: HeadVerifier,
    *,
    elsewhere: Iterable[bytes] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Recompute the chain from its beginning, and compare with heads kept elsewhere.

    `progress` is told the cursor up to which all was looked at. The heads kept elsewhere are read
    first: what was exported meanwhile is in the registry by then.
    """
    kept_elsewhere = list(elsewhere)
    verification, cursor, number = Verification(verifier), BEGIN, 0
    while heads := await _heads(registry, number):
        for kept in heads:
            number = kept.number
            head = verification.prove(kept.jws, number)
            if head is None:
                continue
            begin = verification.begin_of(head)
            events = await _events(registry, cursor if begin is None else begin, head.last)
            verification.take(head, kept.marks, events)
            cursor = max(cursor, head.last)
            progress(cursor)
    while page := await _page(registry, cursor):
        verification.end(page)
        cursor = page[-1].cursor
        progress(cursor)
    for jws in kept_elsewhere:
        verification.compare_with(jws)
    return verification.report


async def _heads(registry: Registry, number: int) -> Sequence[SealedHead]:
    return await registry.read(lambda tx: tx.heads.beyond(number, limit=HEADS))


async def _page(registry: Registry, after: int) -> Sequence[KeptEvent]:
    return await registry.read(lambda tx: tx.audit.kept(after, limit=PAGE))


async def _events(registry: Registry, after: int, last: int) -> list[KeptEvent]:
    """Return the events beyond `after`, up to `last`."""
    found: list[KeptEvent] = []
    while page := await _page(registry, after):
        found += [event for event in page if event.cursor <= last]
        after = page[-1].cursor
        if after >= last:
            break
    return found
