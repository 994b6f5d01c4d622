# SPDX-License-Identifier: Apache-2.0
"""A registry in memory. It passes the same contract suite as the real ones."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

from fakes.registry.answers import FakeKeptAnswers
from fakes.registry.claims import FakeClaimCodes, FakeClaims
from fakes.registry.context import FakeContexts, FakeSchemas, FakeTwins
from fakes.registry.devices import FakeDevices, StagedRows, as_device
from fakes.registry.enrolments import (
    FakeCredentials,
    FakeEnrolments,
    FakePresenceBoard,
    FakeVouchers,
)
from fakes.registry.life import FakeCommands, FakeOffers, FakeQuarantines, FakeReplacements
from fakes.registry.people import (
    FakeAccounts,
    FakeApiKeys,
    FakeIdentities,
    FakeInvitations,
    FakeMembers,
    FakeSessions,
)
from fakes.registry.places import FakeAuthorities, FakeTenants, FakeUpstreams
from fakes.registry.rows import Rows
from fakes.registry.sales import FakeSalesImports, FakeSalesRecords
from fakes.registry.search import FakeSearch
from fakes.registry.trail import FakeAuditHeads, FakeAuditTrail
from homeport.domain.claim import ClaimCode
from homeport.domain.device import Device, DeviceId
from homeport.domain.ownership import NO_EPOCH
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import (
    Accounts,
    ApiKeys,
    AuditHeads,
    AuditTrail,
    Authorities,
    ClaimCodes,
    Claims,
    Commands,
    Contexts,
    Credentials,
    Devices,
    Enrolments,
    Identities,
    Invitations,
    KeptAnswers,
    Members,
    MintedDevice,
    Offers,
    PresenceBoard,
    Quarantines,
    Replacements,
    SalesImports,
    SalesRecords,
    Schemas,
    Search,
    Sessions,
    Staged,
    Tenants,
    Transaction,
    Twins,
    Upstreams,
    Vouchers,
)

Result = TypeVar("Result")


class FakeTransaction:
    """All parts over one snapshot."""

    def __init__(self, rows: Rows) -> None:
        self.authorities: Authorities = FakeAuthorities(rows.authorities)
        self.tenants: Tenants = FakeTenants(rows.tenants)
        self.upstreams: Upstreams = FakeUpstreams(rows.upstreams)
        self.devices: Devices = FakeDevices(rows)
        self.sales: SalesRecords = FakeSalesRecords(rows)
        self.sales_imports: SalesImports = FakeSalesImports(rows.imports)
        self.claims: Claims = FakeClaims(rows)
        self.claim_codes: ClaimCodes = FakeClaimCodes(rows)
        self.enrolments: Enrolments = FakeEnrolments(rows)
        self.credentials: Credentials = FakeCredentials(rows)
        self.vouchers: Vouchers = FakeVouchers(rows)
        self.presence: PresenceBoard = FakePresenceBoard(rows)
        self.accounts: Accounts = FakeAccounts(rows)
        self.identities: Identities = FakeIdentities(rows)
        self.members: Members = FakeMembers(rows)
        self.invitations: Invitations = FakeInvitations(rows)
        self.sessions: Sessions = FakeSessions(rows)
        self.api_keys: ApiKeys = FakeApiKeys(rows)
        self.commands: Commands = FakeCommands(rows)
        self.quarantines: Quarantines = FakeQuarantines(rows)
        self.contexts: Contexts = FakeContexts(rows)
        self.schemas: Schemas = FakeSchemas(rows)
        self.twins: Twins = FakeTwins(rows)
        self.offers: Offers = FakeOffers(rows)
        self.replacements: Replacements = FakeReplacements(rows)
        self.answers: KeptAnswers = FakeKeptAnswers(rows)
        self.search: Search = FakeSearch(rows)
        self.audit: AuditTrail = FakeAuditTrail(rows)
        self.heads: AuditHeads = FakeAuditHeads(rows.heads)


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

    async def read(
        self, verb: Callable[[Transaction], Awaitable[Result]], *, is_urgent: bool = False
    ) -> Result:
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
        codes: dict[DeviceId, ClaimCode] = {}
        for minted in devices:
            device = as_device(authority, minted)
            if found.setdefault(device.id, device).idevid_fingerprint != minted.idevid_fingerprint:
                raise HomeportError(Code.DEVICE_CONFLICT, f"{device.id} is listed differently")
            if minted.claim_code_hash:
                codes[device.id] = ClaimCode(bytes.fromhex(minted.claim_code_hash), NO_EPOCH)
        yield StagedRows(count=len(found), devices=tuple(found.values()), codes=codes)


def finish(verb: Awaitable[Result]) -> Result:
    """Run a verb that awaits nothing but its transaction; anything else is a RuntimeError."""
    steps = verb.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: Result = end.value
        return result
    raise RuntimeError("a verb may await its transaction only")
