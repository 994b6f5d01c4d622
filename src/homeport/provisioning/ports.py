# SPDX-License-Identifier: Apache-2.0
"""What the verbs need: the registry's parts, and whoever signs certificates.

A verb is `async def verb(tx, ...)` over one `Transaction`: all that it writes is kept or nothing
is, its audit events too. It awaits nothing but the transaction's ports and does no other I/O, so an
adapter may drive it to its end at once (SQLite) or await it (PostgreSQL).
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.credential import Credential
from homeport.domain.device import Device, DeviceId
from homeport.domain.enrolment import Enrolment, State
from homeport.domain.ownership import SalesRecord, SerialRange
from homeport.domain.tenant import Tenant
from homeport.domain.upstream import Upstream
from homeport.pki.requests import ProvenCsr

Result = TypeVar("Result")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A trusted issuer of device identities."""

    id: str
    name: str
    anchor: bytes
    """Its trust anchor, DER."""
    trusted_at: datetime


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVoucher:
    """An ownership voucher that waits for its device."""

    device: DeviceId
    upstream: str
    epoch: int
    voucher: bytes
    """JWS as issued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Whether a device is connected to its upstream, and since when."""

    online: bool
    since: datetime


class Authorities(Protocol):
    """Whose device identities are believed."""

    async def get(self, authority: str) -> Authority | None:
        """Return one by its id."""
        ...

    async def all(self) -> Sequence[Authority]:
        """Return all of them; there are few."""
        ...

    async def add(self, authority: Authority) -> None:
        """Trust one more; an id that is there already is a HomeportError(ALREADY_EXISTS)."""
        ...


class Tenants(Protocol):
    """Who owns devices."""

    async def get(self, name: str) -> Tenant | None:
        """Return one by its name."""
        ...

    async def all(self) -> Sequence[Tenant]:
        """Return all, by name."""
        ...

    async def add(self, tenant: Tenant) -> None:
        """Add one; a name that is there already is a HomeportError(ALREADY_EXISTS)."""
        ...


class Upstreams(Protocol):
    """Where devices can be sent."""

    async def get(self, name: str) -> Upstream | None:
        """Return one by its name."""
        ...

    async def all(self) -> Sequence[Upstream]:
        """Return all, by name."""
        ...

    async def add(self, upstream: Upstream) -> None:
        """Add one; a name that is there already is a HomeportError(ALREADY_EXISTS)."""
        ...


class Devices(Protocol):
    """The devices themselves."""

    async def get(self, device: DeviceId) -> Device | None:
        """Return one by its id."""
        ...

    async def find(self, text: str) -> Sequence[Device]:
        """Return those whose id or whole serial number is the text (at most 10)."""
        ...

    async def page(
        self, *, state: State | None, after: DeviceId | None, limit: int
    ) -> Sequence[tuple[Device, Enrolment | None]]:
        """Return devices with their latest enrolment, by id, beyond `after`."""
        ...

    async def put(self, device: Device) -> None:
        """Add it, or change model, owner, upstream, epoch and IDevID of the one that is there."""
        ...

    async def add_minted(self, staged: Staged[MintedDevice], now: datetime) -> int:
        """Register a manifest's devices; return how many were not there before.

        One that is there already with the same IDevID is left as it is; with another IDevID it is
        a HomeportError(DEVICE_CONFLICT) that names it. A device that was only seen becomes minted.
        """
        ...

    async def unowned(
        self,
        serial_numbers: SerialRange,
        authority: str | None,
        limit: int,
        *,
        after: DeviceId | None = None,
    ) -> Sequence[Device]:
        """Return registered devices of the range that have no tenant yet, at most `limit`.

        By serial number and id, beyond `after`: who asks again gives the last device of before.
        """
        ...


class SalesRecords(Protocol):
    """Which devices were sold to whom, also before they were ever seen."""

    async def add(self, records: Iterable[SalesRecord]) -> int:
        """Keep records; return how many said something new.

        One that repeats the latest of exactly its range and authority (same tenant, same upstream)
        is not kept.
        """
        ...

    async def covering(self, device: DeviceId) -> SalesRecord | None:
        """Return the record that speaks of the device; the narrowest wins, then the latest."""
        ...

    async def overlapping(
        self, serial_numbers: SerialRange, authority: str | None
    ) -> Sequence[SalesRecord]:
        """Return records that could speak of the same devices (at most 100)."""
        ...


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


class Vouchers(Protocol):
    """Vouchers that wait to be given to devices."""

    async def get(self, device: DeviceId, upstream: str) -> StoredVoucher | None:
        """Return the one of the highest epoch."""
        ...

    async def put(self, voucher: StoredVoucher) -> None:
        """Keep it, instead of an earlier one of the same device, upstream and epoch."""
        ...


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


class AuditTrail(Protocol):
    """Everything that happened, in order."""

    async def record(self, *events: AuditEvent) -> None:
        """Append; the cursors are given here."""
        ...

    async def of_device(
        self, device: DeviceId, *, after: int = 0, limit: int = 1000
    ) -> Sequence[AuditEvent]:
        """Return a device's timeline beyond the cursor, in order."""
        ...

    async def since(
        self, cursor: int, *, names: Collection[Name] = (), limit: int = 1000
    ) -> Sequence[AuditEvent]:
        """Return what came after the cursor, in order; only these names (at most 8) if any."""
        ...

    async def last(self) -> int:
        """Return the cursor of the newest event, 0 when there is none."""
        ...


class Transaction(Protocol):
    """All parts of the registry, in one transaction."""

    authorities: Authorities
    tenants: Tenants
    upstreams: Upstreams
    devices: Devices
    sales: SalesRecords
    enrolments: Enrolments
    credentials: Credentials
    vouchers: Vouchers
    presence: PresenceBoard
    audit: AuditTrail


class Registry(Protocol):
    """Where the platform keeps what it knows."""

    async def transact(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Run the verb in a transaction that is durable when this returns; its error undoes it."""
        ...

    async def read(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Run a verb that only reads, on a consistent view, without waiting for writers."""
        ...

    def stage_minted(
        self, authority: str, devices: Iterable[MintedDevice]
    ) -> AbstractAsyncContextManager[Staged[MintedDevice]]:
        """Lay a manifest's devices ready, streamed in a thread, without holding up writers.

        An error of the iterable ends it; two lines that contradict each other are a
        HomeportError(DEVICE_CONFLICT). What is laid ready is gone when the context ends.
        """
        ...

    async def version(self) -> int:
        """Return a number that changes whenever anybody, in any process, has committed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCertificate:
    """What the CA made."""

    certificate: bytes
    """DER."""
    fingerprint: str
    serial_number: int
    not_before: datetime
    not_after: datetime


class Issuer(Protocol):
    """The CA for operational certificates: checks and signs as its profile says.

    Implemented by `homeport.ca`, which makes a ticket only after its checks and signs it once.
    """

    def issue(self, device: DeviceId, request: ProvenCsr, now: datetime) -> IssuedCertificate:
        """Certify the key for the device; HomeportError (refused) if the profile forbids it."""
        ...

    def chain(self) -> Sequence[bytes]:
        """The issuer's certificates as DER, leaf's issuer first, without the root."""
        ...
