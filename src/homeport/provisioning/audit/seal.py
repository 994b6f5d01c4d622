# SPDX-License-Identifier: Apache-2.0
"""Seal the next stretch of the audit trail: chain its events, sign where the chain stands now.

Reading, hashing and signing happen on a reader's view, away from those who write; only the finished
head is written. What a reader sees never gets company before its end (`AuditTrail.kept`), so the
stretch is final. Two who seal at once make the same head number; one of them is refused.
"""

from datetime import datetime
from typing import Final

from homeport.artefacts.audit_head import AuditHead, peek_head, sign_head
from homeport.domain.trail.chain import START, chained
from homeport.pki.jws import JwsSigner
from homeport.provisioning.ports import Registry, SealedHead, Transaction

SEAL_MAX: Final = 1000
"""Events under one head: hashed in six milliseconds, and few enough to look through by hand."""


async def seal(
    registry: Registry, signer: JwsSigner, *, platform: str, now: datetime
) -> SealedHead | None:
    """Seal at most SEAL_MAX events that have no head yet; None if there are none.

    Raise ALREADY_EXISTS if somebody else sealed them meanwhile.
    """

    async def prepared(tx: Transaction) -> SealedHead | None:
        return await _next_head(tx, signer, platform, now)

    head = await registry.read(prepared)
    if head is not None:
        added = head
        await registry.transact(lambda tx: tx.heads.add(added))
    return head


async def _next_head(
    tx: Transaction, signer: JwsSigner, platform: str, now: datetime
) -> SealedHead | None:
    latest = await tx.heads.latest()
    before = peek_head(latest.jws) if latest else None
    events = await tx.audit.kept(before.last if before else 0, limit=SEAL_MAX)
    if not events:
        return None
    chain = chained(events, bytes.fromhex(before.head) if before else START)
    head = AuditHead(
        platform=platform,
        number=before.number + 1 if before else 1,
        first=events[0].cursor,
        last=events[-1].cursor,
        count=chain.count,
        previous=before.head if before else START.hex(),
        head=chain.head.hex(),
        time=int(now.timestamp()),
    )
    return SealedHead(head.number, head.last, sign_head(head, signer), chain.marks)
