# SPDX-License-Identifier: Apache-2.0
"""Whose devices are: claims, codes and the ledger."""

from collections.abc import Iterator

from homeport.api.client.asking import Asking, document
from homeport.api.wire.ownership import Claim, ClaimCode, DeviceOwnership, NewClaim


class Claims:
    """`/claims`, and what a device's resource says of its owners."""

    def __init__(self, asking: Asking) -> None:
        """Ask there."""
        self._asking = asking

    def claim(self, device: str, code: str, tenant: str) -> Claim:
        """Claim a device by its code."""
        said = document(NewClaim, device=device, code=code, tenant=tenant)
        return self._asking.post(Claim, "claims", said=said)

    def pending(self) -> Iterator[Claim]:
        """Read the claims that wait for their device, oldest first."""
        for page in self._asking.pages(Claim, "claims"):
            yield from page.items

    def withdraw(self, claim: str) -> Claim:
        """Take a pending claim back."""
        return self._asking.delete(Claim, "claims", claim)

    def make_code(self, device: str) -> ClaimCode:
        """Make a fresh code; it is shown once."""
        return self._asking.post(ClaimCode, "devices", device, "claim-code")

    def ledger(self, device: str) -> DeviceOwnership:
        """Read whose a device is and was."""
        return self._asking.get(DeviceOwnership, "devices", device, "ownership")
