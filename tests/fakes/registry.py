# SPDX-License-Identifier: Apache-2.0
"""A registry in memory. It passes the same contract suite as the real ones."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.credential import Credential, CredentialState
from homeport.domain.device import Device, DeviceId
from homeport.domain.enrolment import Enrolment, State
from homeport.domain.ownership import SalesRecord, SerialRange
from homeport.domain.tenant import Tenant
from homeport.domain.upstream import Upstream
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.ports import (
    AuditTrail,
    Authorities,
    Authority,
    Credentials,
    Devices,
    Enrolments,
    MintedDevice,
    Presence,
    PresenceBoard,
    SalesRecords,
    Staged,
    StoredVoucher,
    Tenants,
    Transaction,
    Upstreams,
    Vouchers,
)

Result = TypeVar("Result")
Value = TypeVar("Value")


@dataclass
class Rows:
    """All that is kept. Values never change, so a copy of the containers is a snapshot."""

    authorities: dict[str, Authority] = field(default_factory=dict)
    tenants: dict[str, Tenant] = field(default_factory=dict)
    upstreams: dict[str, Upstream] = field(default_factory=dict)
    devices: dict[DeviceId, Device] = field(default_factory=dict)
    sales: list[SalesRecord] = field(default_factory=list)
    enrolments: dict[str, Enrolment] = field(default_factory=dict)
    credentials: dict[str, Credential] = field(default_factory=dict)
    vouchers: dict[tuple[DeviceId, str, int], StoredVoucher] = field(default_factory=dict)
    presence: dict[DeviceId, Presence] = field(default_factory=dict)
    audit: list[AuditEvent] = field(default_factory=list)

    def copy(self) -> "Rows":
        """Return a snapshot."""
        return Rows(**{part.name: copy(getattr(self, part.name)) for part in fields(self)})


def keepable(value: Value) -> Value:
    """Return the value, or refuse text that no database keeps (MalformedError)."""
    try:
        repr_of(value).encode()
    except UnicodeEncodeError as error:
        raise MalformedError(f"a value cannot be kept: {error}") from error
    return value


def repr_of(value: Any) -> str:
    """All text in it."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "".join(map(repr_of, [*value, *value.values()]))
    slots = getattr(value, "__slots__", ())
    return "".join(repr_of(getattr(value, name)) for name in slots)


def add_new(rows: dict[str, Value], key: str, value: Value) -> None:
    """Add what must not be there."""
    if key in rows:
        raise HomeportError(Code.ALREADY_EXISTS, key)
    rows[key] = keepable(value)


class FakeAuthorities:
    def __init__(self, rows: dict[str, Authority]) -> None:
        self._rows = rows

    async def get(self, authority: str) -> Authority | None:
        return self._rows.get(authority)

    async def all(self) -> Sequence[Authority]:
        return sorted(self._rows.values(), key=lambda authority: authority.id)

    async def add(self, authority: Authority) -> None:
        add_new(self._rows, authority.id, authority)


class FakeTenants:
    def __init__(self, rows: dict[str, Tenant]) -> None:
        self._rows = rows

    async def get(self, name: str) -> Tenant | None:
        return self._rows.get(name)

    async def all(self) -> Sequence[Tenant]:
        return sorted(self._rows.values(), key=lambda tenant: tenant.name)

    async def add(self, tenant: Tenant) -> None:
        add_new(self._rows, tenant.name, tenant)


class FakeUpstreams:
    def __init__(self, rows: dict[str, Upstream]) -> None:
        self._rows = rows

    async def get(self, name: str) -> Upstream | None:
        return self._rows.get(name)

    async def all(self) -> Sequence[Upstream]:
        return sorted(self._rows.values(), key=lambda upstream: upstream.name)

    async def add(self, upstream: Upstream) -> None:
        add_new(self._rows, upstream.name, upstream)


class FakeDevices:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def _sorted(self) -> list[Device]:
        return sorted(self._rows.devices.values(), key=lambda device: str(device.id))

    async def get(self, device: DeviceId) -> Device | None:
        return self._rows.devices.get(device)

    async def find(self, text: str) -> Sequence[Device]:
        found = [d for d in self._sorted() if text in (str(d.id), d.id.serial_number)]
        return found[:10]

    async def page(
        self, *, state: State | None, after: DeviceId | None, limit: int
    ) -> Sequence[tuple[Device, Enrolment | None]]:
        beyond = str(after) if after else ""
        rows = [
            (device, latest_of(self._rows, device.id))
            for device in self._sorted()
            if str(device.id) > beyond
        ]
        if state is not None:
            rows = [(device, run) for device, run in rows if run and run.state is state]
        return rows[:limit]

    async def put(self, device: Device) -> None:
        if device.tenant is not None and device.tenant not in self._rows.tenants:
            raise HomeportError(Code.TENANT_UNKNOWN, device.tenant)
        known = self._rows.devices.get(device.id)
        if known:
            device = replace(
                known,
                model=device.model,
                idevid_fingerprint=device.idevid_fingerprint,
                tenant=device.tenant,
                upstream=device.upstream,
                epoch=device.epoch,
            )
        self._rows.devices[device.id] = keepable(device)

    async def add_minted(self, staged: Staged[MintedDevice], now: datetime) -> int:
        if not isinstance(staged, StagedRows):
            raise TypeError("these rows were laid ready by another registry")
        new = 0
        for device in staged.devices:
            known = self._rows.devices.get(device.id)
            if known is None:
                self._rows.devices[device.id] = replace(device, registered_at=now)
                new += 1
            elif known.idevid_fingerprint not in (None, device.idevid_fingerprint):
                raise HomeportError(Code.DEVICE_CONFLICT, f"{device.id} is known differently")
            elif not known.minted:
                self._rows.devices[device.id] = replace(
                    known,
                    minted=True,
                    model=device.model,
                    hardware_identity=device.hardware_identity,
                    idevid_fingerprint=device.idevid_fingerprint,
                )
        return new

    async def unowned(
        self,
        serial_numbers: SerialRange,
        authority: str | None,
        limit: int,
        *,
        after: DeviceId | None = None,
    ) -> Sequence[Device]:
        def place(device: DeviceId) -> tuple[str, str]:
            return device.serial_number, str(device)

        found = [
            device
            for device in self._rows.devices.values()
            if device.tenant is None
            and device.id.serial_number in serial_numbers
            and authority in (None, device.id.authority)
            and (after is None or place(device.id) > place(after))
        ]
        return sorted(found, key=lambda device: place(device.id))[:limit]


class FakeSalesRecords:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def add(self, records: Iterable[SalesRecord]) -> int:
        new = 0
        for record in records:
            if record.tenant not in self._rows.tenants:
                raise HomeportError(Code.TENANT_UNKNOWN, record.tenant)
            same = [
                other
                for other in self._latest_first()
                if (other.serial_numbers, other.authority)
                == (record.serial_numbers, record.authority)
            ]
            if same and (same[0].tenant, same[0].upstream) == (record.tenant, record.upstream):
                continue
            self._rows.sales.append(keepable(record))
            new += 1
        return new

    async def covering(self, device: DeviceId) -> SalesRecord | None:
        records = [
            record
            for record in self._latest_first()
            if device.serial_number in record.serial_numbers
            and record.authority in (None, device.authority)
        ]
        return min(records, key=lambda record: width(record.serial_numbers), default=None)

    async def overlapping(
        self, serial_numbers: SerialRange, authority: str | None
    ) -> Sequence[SalesRecord]:
        found = [
            record
            for record in self._rows.sales
            if record.serial_numbers.overlaps(serial_numbers)
            and (None in (authority, record.authority) or record.authority == authority)
        ]
        return found[:100]

    def _latest_first(self) -> list[SalesRecord]:
        latest = list(reversed(self._rows.sales))
        return sorted(latest, key=lambda record: record.recorded_at, reverse=True)


def width(serial_numbers: SerialRange) -> int:
    """How many serial numbers a range has, less one."""
    first, last = serial_numbers.first, serial_numbers.last
    while first and first[0] == last[0]:
        first, last = first[1:], last[1:]
    return int(last or "0") - int(first or "0")


def latest_of(rows: Rows, device: DeviceId) -> Enrolment | None:
    """The run that the device's state is read from."""
    rank = {State.AWAITING_DECISION: 0, State.REFUSED: 0, State.SUPERSEDED: 1}
    runs = [run for run in rows.enrolments.values() if run.device == device]
    return max(reversed(runs), key=lambda run: rank.get(run.state, 2), default=None)


class FakeEnrolments:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def latest(self, device: DeviceId) -> Enrolment | None:
        return latest_of(self._rows, device)

    async def with_key(self, device: DeviceId, key_hash: str) -> Enrolment | None:
        for run in self._rows.enrolments.values():
            if run.device == device and run.key_hash == key_hash:
                return run
        return None

    async def candidates(self, device: DeviceId) -> Sequence[Enrolment]:
        return [
            run
            for run in self._rows.enrolments.values()
            if run.device == device and run.state is State.AWAITING_DECISION
        ]

    async def put(self, enrolment: Enrolment) -> None:
        if enrolment.device not in self._rows.devices:
            raise HomeportError(Code.DEVICE_UNKNOWN, str(enrolment.device))
        same = await self.with_key(enrolment.device, enrolment.key_hash)
        if same and same.id != enrolment.id:
            raise HomeportError(Code.ALREADY_EXISTS, "a run for this key")
        self._rows.enrolments[enrolment.id] = keepable(enrolment)


class FakeCredentials:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def get(self, fingerprint: str) -> Credential | None:
        return self._rows.credentials.get(fingerprint)

    async def of_device(self, device: DeviceId) -> Sequence[Credential]:
        return [c for c in self._rows.credentials.values() if c.device == device]

    async def of_key(self, key_hash: str) -> Sequence[Credential]:
        return [c for c in self._rows.credentials.values() if c.key_hash == key_hash]

    async def revoked(self, now: datetime) -> Sequence[Credential]:
        found = [
            credential
            for credential in self._rows.credentials.values()
            if credential.state is CredentialState.REVOKED and credential.not_after > now
        ]
        return sorted(found, key=lambda credential: credential.not_after)

    async def put(self, credential: Credential) -> None:
        rows = self._rows
        if credential.device not in rows.devices or credential.enrolment not in rows.enrolments:
            raise HomeportError(Code.NOT_FOUND, "a row names something that is not there")
        known = rows.credentials.get(credential.fingerprint)
        if known:
            credential = replace(known, state=credential.state, revoked_at=credential.revoked_at)
        rows.credentials[credential.fingerprint] = keepable(credential)


class FakeVouchers:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows.vouchers

    async def get(self, device: DeviceId, upstream: str) -> StoredVoucher | None:
        found = [v for v in self._rows.values() if (v.device, v.upstream) == (device, upstream)]
        return max(found, key=lambda voucher: voucher.epoch, default=None)

    async def put(self, voucher: StoredVoucher) -> None:
        self._rows[voucher.device, voucher.upstream, voucher.epoch] = voucher


class FakePresenceBoard:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows.presence

    async def get(self, device: DeviceId) -> Presence | None:
        return self._rows.get(device)

    async def put(self, device: DeviceId, presence: Presence) -> None:
        self._rows[device] = presence

    async def online(
        self, *, before: datetime, after: DeviceId | None, limit: int
    ) -> Sequence[DeviceId]:
        found = [d for d, seen in self._rows.items() if seen.online and seen.since < before]
        return sorted(d for d in found if after is None or str(d) > str(after))[:limit]


class FakeAuditTrail:
    def __init__(self, rows: list[AuditEvent]) -> None:
        self._rows = rows

    async def record(self, *events: AuditEvent) -> None:
        for event in events:
            self._rows.append(keepable(replace(event, cursor=len(self._rows) + 1)))

    async def of_device(
        self, device: DeviceId, *, after: int = 0, limit: int = 1000
    ) -> Sequence[AuditEvent]:
        found = [event for event in self._rows[after:] if event.device == device]
        return found[:limit]

    async def since(
        self, cursor: int, *, names: Collection[Name] = (), limit: int = 1000
    ) -> Sequence[AuditEvent]:
        later = (row for row in self._rows[cursor:] if not names or row.name in names)
        return list(islice(later, limit))

    async def last(self) -> int:
        return len(self._rows)


class FakeTransaction:
    """All parts over one snapshot."""

    def __init__(self, rows: Rows) -> None:
        self.authorities: Authorities = FakeAuthorities(rows.authorities)
        self.tenants: Tenants = FakeTenants(rows.tenants)
        self.upstreams: Upstreams = FakeUpstreams(rows.upstreams)
        self.devices: Devices = FakeDevices(rows)
        self.sales: SalesRecords = FakeSalesRecords(rows)
        self.enrolments: Enrolments = FakeEnrolments(rows)
        self.credentials: Credentials = FakeCredentials(rows)
        self.vouchers: Vouchers = FakeVouchers(rows)
        self.presence: PresenceBoard = FakePresenceBoard(rows)
        self.audit: AuditTrail = FakeAuditTrail(rows.audit)


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRows(Staged[MintedDevice]):
    """Devices laid ready, in memory."""

    devices: tuple[Device, ...]


class FakeRegistry:
    """The port `Registry`; usable without opening it, in any event loop."""

    def __init__(self) -> None:
        self.rows = Rows()
        self._version = 0

    async def transact(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        work = self.rows.copy()
        result = finish(verb(FakeTransaction(work)))
        self._version += work != self.rows
        self.rows = work
        return result

    async def read(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        view = self.rows.copy()
        result = finish(verb(FakeTransaction(view)))
        if view != self.rows:
            raise RuntimeError("a verb given to `read` tried to write")
        return result

    async def version(self) -> int:
        return self._version

    @asynccontextmanager
    async def stage_minted(
        self, authority: str, devices: Iterable[MintedDevice]
    ) -> AsyncIterator[Staged[MintedDevice]]:
        found: dict[DeviceId, Device] = {}
        for minted in devices:
            device = as_device(authority, minted)
            if found.setdefault(device.id, device).idevid_fingerprint != minted.idevid_fingerprint:
                raise HomeportError(Code.DEVICE_CONFLICT, f"{device.id} is listed differently")
        yield StagedRows(count=len(found), devices=tuple(found.values()))


def as_device(authority: str, minted: MintedDevice) -> Device:
    """What the port `Devices` shows of it; when it was registered is said later."""
    return Device(
        id=DeviceId(authority, minted.serial_number),
        model=minted.model,
        hardware_identity=minted.hardware_identity,
        minted=True,
        idevid_fingerprint=minted.idevid_fingerprint,
        registered_at=datetime.min,  # noqa: DTZ901 - replaced before anybody sees it
    )


def finish(verb: Awaitable[Result]) -> Result:
    """Run a verb that awaits nothing but its transaction; anything else is a RuntimeError."""
    steps = verb.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: Result = end.value
        return result
    raise RuntimeError("a verb may await its transaction only")
