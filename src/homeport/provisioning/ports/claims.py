# SPDX-License-Identifier: Apache-2.0
"""Claims by code, and the codes."""

from collections.abc import Sequence
from typing import Protocol

from homeport.domain.claim import Claim, ClaimCode
from homeport.domain.device import DeviceId


class Claims(Protocol):
    """Who says, by a code, that a device is theirs."""

    async def get(self, claim: str) -> Claim | None:
        """Return one by its id."""
        ...

    async def pending(self, device: DeviceId) -> Claim | None:
        """Return the device's pending claim; there is at most one."""
        ...

    async def page(self, tenant: str | None, *, after: str | None, limit: int) -> Sequence[Claim]:
        """Return pending claims of the tenant (None: of all), by id, beyond `after`."""
        ...

    async def put(self, claim: Claim) -> None:
        """Add it, or change the state of the one with this id.

        A second pending claim for one device is a HomeportError(ALREADY_EXISTS).
        """
        ...


class ClaimCodes(Protocol):
    """The code that claims each device, as its hash."""

    async def get(self, device: DeviceId) -> ClaimCode | None:
        """Return a device's, whether or not it still counts."""
        ...

    async def put(self, device: DeviceId, code: ClaimCode) -> None:
        """Give a registered device another code; the earlier one is forgotten."""
        ...
