# SPDX-License-Identifier: Apache-2.0
"""Claims and their codes in memory."""

from collections.abc import Sequence
from dataclasses import replace

from fakes.registry.rows import Rows, keepable
from homeport.domain.claim import Claim, ClaimCode, ClaimState
from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError


class FakeClaims:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def get(self, claim: str) -> Claim | None:
        return self._rows.claims.get(claim)

    async def pending(self, device: DeviceId) -> Claim | None:
        found = (claim for claim in self._pending() if claim.device == device)
        return next(found, None)

    async def page(self, tenant: str | None, *, after: str | None, limit: int) -> Sequence[Claim]:
        found = [c for c in self._pending() if tenant in (None, c.tenant) and c.id > (after or "")]
        return sorted(found, key=lambda claim: claim.id)[:limit]

    async def put(self, claim: Claim) -> None:
        if claim.device not in self._rows.devices or claim.tenant not in self._rows.tenants:
            raise HomeportError(Code.NOT_FOUND, "a row names something that is not there")
        known = self._rows.claims.get(claim.id)
        if known:
            claim = replace(known, state=claim.state, ended_at=claim.ended_at)
        rival = await self.pending(claim.device)
        if claim.state is ClaimState.PENDING and rival is not None and rival.id != claim.id:
            raise HomeportError(Code.ALREADY_EXISTS, "a pending claim")
        self._rows.claims[claim.id] = keepable(claim)

    def _pending(self) -> list[Claim]:
        return [c for c in self._rows.claims.values() if c.state is ClaimState.PENDING]


class FakeClaimCodes:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def get(self, device: DeviceId) -> ClaimCode | None:
        return self._rows.claim_codes.get(device)

    async def put(self, device: DeviceId, code: ClaimCode) -> None:
        if device in self._rows.devices:
            self._rows.claim_codes[device] = code
