# SPDX-License-Identifier: Apache-2.0
"""The devices themselves, and what comes of a hand-over manifest."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from homeport.domain.device import Device, DeviceId
from homeport.domain.ownership import Scope

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class MintedDevice:
    """One line of a hand-over manifest, as the registry keeps it."""

    serial_number: str
    model: str
    hardware_identity: str
    idevid_fingerprint: str
    dpp_key: bytes | None
    """SubjectPublicKeyInfo of the DPP bootstrapping key, DER."""
    dpp_key_hash: str | None
    claim_code_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged(Generic[Row]):
    """Rows laid ready beside the registry, checked and in order, to be added in one short step."""

    count: int
    """How many different rows there are."""


class Devices(Protocol):
    """The devices themselves."""

    async def get(self, device: DeviceId) -> Device | None:
        """Return one by its id."""
        ...

    async def find(self, text: str) -> Sequence[Device]:
        """Return those whose id or whole serial number is the text (at most 10)."""
        ...

    async def registered(self, serial_numbers: Collection[str]) -> set[str]:
        """Return those of the serial numbers that registered devices bear, of whichever maker."""
        ...

    async def put(self, device: Device) -> None:
        """Add it, or change the model, the IDevID and all about the owner of the one there is."""
        ...

    async def add_minted(self, staged: Staged[MintedDevice], now: datetime) -> int:
        """Register a manifest's devices; return how many were not there before.

        One that is there already with the same IDevID is left as it is; with another IDevID it is
        a HomeportError(DEVICE_CONFLICT) that names it. A device that was only seen becomes minted.
        """
        ...

    async def unowned(
        self, scope: Scope, authority: str | None, limit: int, *, after: DeviceId | None = None
    ) -> Sequence[Device]:
        """Return registered devices of the scope that a tenant can get, at most `limit`.

        They have none, and are not decommissioned.

        By serial number and id (of a whole model: by id), beyond `after`: who asks again gives the
        last device of before.
        """
        ...

    async def contested(
        self,
        scope: Scope,
        authority: str | None,
        tenant: str | None,
        limit: int,
        *,
        after: DeviceId | None = None,
    ) -> Sequence[Device]:
        """Return those of the scope that have another tenant than this one, or a pending claim.

        In the order of `unowned`. A claim may be the tenant's own; None: any tenant is another.
        """
        ...
