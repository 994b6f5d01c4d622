# SPDX-License-Identifier: Apache-2.0
"""The runs of all devices, and what they were given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from homeport.domain.credential import Credential
from homeport.domain.device import DeviceId
from homeport.domain.enrolment import Enrolment


class Enrolments(Protocol):
    """The runs of all devices."""

    async def latest(self, device: DeviceId) -> Enrolment | None:
        """Return the run that the device's state is read from: the last that is not a candidate.

        A superseded run is returned only if there is no other but candidates; a candidate (awaiting
        decision, or refused) only if there is no other at all.
        """
        ...

    async def with_key(self, device: DeviceId, key_hash: str) -> Enrolment | None:
        """Return the device's run for this operational key; there is at most one."""
        ...

    async def candidates(self, device: DeviceId) -> Sequence[Enrolment]:
        """Return the device's runs that await a decision, oldest first."""
        ...

    async def put(self, enrolment: Enrolment) -> None:
        """Add the run, or replace the one with this id."""
        ...


class Credentials(Protocol):
    """The operational certificates that were issued."""

    async def get(self, fingerprint: str) -> Credential | None:
        """Return one by the hash of its certificate."""
        ...

    async def of_device(self, device: DeviceId) -> Sequence[Credential]:
        """Return a device's, oldest first."""
        ...

    async def of_key(self, key_hash: str) -> Sequence[Credential]:
        """Return all that certify this key, oldest first."""
        ...

    async def revoked(self, now: datetime) -> Sequence[Credential]:
        """Return those revoked and not yet expired, by expiry, for the revocation list."""
        ...

    async def put(self, credential: Credential) -> None:
        """Add it, or change the state of the one that is there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVoucher:
    """An ownership voucher that waits for its device."""

    device: DeviceId
    upstream: str
    epoch: int
    voucher: bytes
    """JWS as issued."""


class Vouchers(Protocol):
    """Vouchers that wait to be given to devices."""

    async def get(self, device: DeviceId, upstream: str) -> StoredVoucher | None:
        """Return the one of the highest epoch."""
        ...

    async def put(self, voucher: StoredVoucher) -> None:
        """Keep it, instead of an earlier one of the same device, upstream and epoch."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Whether a device is connected to its upstream, and since when."""

    online: bool
    since: datetime


class PresenceBoard(Protocol):
    """Which devices are connected."""

    async def get(self, device: DeviceId) -> Presence | None:
        """Return what was last seen."""
        ...

    async def put(self, device: DeviceId, presence: Presence) -> None:
        """Note what was seen."""
        ...

    async def online(
        self, *, before: datetime, after: DeviceId | None, limit: int
    ) -> Sequence[DeviceId]:
        """Return devices last seen online, earlier than `before`; by id, beyond `after`."""
        ...
