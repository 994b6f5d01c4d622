# SPDX-License-Identifier: Apache-2.0
"""All parts together, and how a verb is run over them."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from homeport.provisioning.ports.answers import KeptAnswers
from homeport.provisioning.ports.context import Contexts, Schemas, Twins
from homeport.provisioning.ports.devices import Devices, MintedDevice, Staged
from homeport.provisioning.ports.enrolments import Credentials, Enrolments, PresenceBoard, Vouchers
from homeport.provisioning.ports.life import Commands, Offers, Quarantines, Replacements
from homeport.provisioning.ports.ownership import (
    ClaimCodes,
    Claims,
    SalesImports,
    SalesRecords,
)
from homeport.provisioning.ports.people import (
    Accounts,
    ApiKeys,
    Identities,
    Invitations,
    Members,
    Sessions,
)
from homeport.provisioning.ports.places import Authorities, Tenants, Upstreams
from homeport.provisioning.ports.search import Search
from homeport.provisioning.ports.trail import AuditHeads, AuditTrail

Result = TypeVar("Result")


class Transaction(Protocol):
    """All parts of the registry, in one transaction."""

    authorities: Authorities
    tenants: Tenants
    upstreams: Upstreams
    devices: Devices
    sales: SalesRecords
    sales_imports: SalesImports
    claims: Claims
    claim_codes: ClaimCodes
    enrolments: Enrolments
    credentials: Credentials
    vouchers: Vouchers
    presence: PresenceBoard
    accounts: Accounts
    identities: Identities
    members: Members
    invitations: Invitations
    sessions: Sessions
    api_keys: ApiKeys
    commands: Commands
    quarantines: Quarantines
    contexts: Contexts
    schemas: Schemas
    twins: Twins
    offers: Offers
    replacements: Replacements
    audit: AuditTrail
    answers: KeptAnswers
    search: Search
    heads: AuditHeads


class Registry(Protocol):
    """Where the platform keeps what it knows."""

    async def transact(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Run the verb in a transaction that is durable when this returns; its error undoes it."""
        ...

    async def read(
        self, verb: Callable[[Transaction], Awaitable[Result]], *, is_urgent: bool = False
    ) -> Result:
        """Run a verb that only reads, on a consistent view, without waiting for writers.

        An urgent one, which is short, does not wait for others that read either.
        """
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
