# SPDX-License-Identifier: Apache-2.0
"""The parts of the registry, one file a port, over any `Connection`."""

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
    Offers,
    PresenceBoard,
    Quarantines,
    Replacements,
    SalesImports,
    SalesRecords,
    Schemas,
    Search,
    Sessions,
    Tenants,
    Twins,
    Upstreams,
    Vouchers,
)
from homeport.storage.connection import Connection
from homeport.storage.parts.answers import SqlKeptAnswers
from homeport.storage.parts.authorities import SqlAuthorities
from homeport.storage.parts.context.contexts import SqlContexts
from homeport.storage.parts.context.schemas import SqlSchemas
from homeport.storage.parts.context.twins import SqlTwins
from homeport.storage.parts.credentials import SqlCredentials
from homeport.storage.parts.devices import SqlDevices
from homeport.storage.parts.enrolments import SqlEnrolments
from homeport.storage.parts.life.commands import SqlCommands
from homeport.storage.parts.life.offers import SqlOffers
from homeport.storage.parts.life.quarantines import SqlQuarantines
from homeport.storage.parts.life.replacements import SqlReplacements
from homeport.storage.parts.ownership.claim_codes import SqlClaimCodes
from homeport.storage.parts.ownership.claims import SqlClaims
from homeport.storage.parts.ownership.sales import SqlSalesRecords
from homeport.storage.parts.ownership.sales_imports import SqlSalesImports
from homeport.storage.parts.people.accounts import SqlAccounts, SqlIdentities
from homeport.storage.parts.people.api_keys import SqlApiKeys
from homeport.storage.parts.people.invitations import SqlInvitations
from homeport.storage.parts.people.members import SqlMembers
from homeport.storage.parts.people.sessions import SqlSessions
from homeport.storage.parts.presence import SqlPresenceBoard
from homeport.storage.parts.search import SqlSearch
from homeport.storage.parts.tenants import SqlTenants
from homeport.storage.parts.trail.events import SqlAuditTrail
from homeport.storage.parts.trail.heads import SqlAuditHeads
from homeport.storage.parts.upstreams import SqlUpstreams
from homeport.storage.parts.vouchers import SqlVouchers


class SqlTransaction:
    """The port `Transaction`. It belongs to the connection, and serves one verb after the other."""

    def __init__(self, connection: Connection) -> None:
        """Build all parts on this connection."""
        self.authorities: Authorities = SqlAuthorities(connection)
        self.tenants: Tenants = SqlTenants(connection)
        self.upstreams: Upstreams = SqlUpstreams(connection)
        self.devices: Devices = SqlDevices(connection)
        self.sales: SalesRecords = SqlSalesRecords(connection)
        self.sales_imports: SalesImports = SqlSalesImports(connection)
        self.claims: Claims = SqlClaims(connection)
        self.claim_codes: ClaimCodes = SqlClaimCodes(connection)
        self.enrolments: Enrolments = SqlEnrolments(connection)
        self.credentials: Credentials = SqlCredentials(connection)
        self.vouchers: Vouchers = SqlVouchers(connection)
        self.presence: PresenceBoard = SqlPresenceBoard(connection)
        self.accounts: Accounts = SqlAccounts(connection)
        self.identities: Identities = SqlIdentities(connection)
        self.members: Members = SqlMembers(connection)
        self.invitations: Invitations = SqlInvitations(connection)
        self.sessions: Sessions = SqlSessions(connection)
        self.api_keys: ApiKeys = SqlApiKeys(connection)
        self.commands: Commands = SqlCommands(connection)
        self.quarantines: Quarantines = SqlQuarantines(connection)
        self.contexts: Contexts = SqlContexts(connection)
        self.schemas: Schemas = SqlSchemas(connection)
        self.twins: Twins = SqlTwins(connection)
        self.offers: Offers = SqlOffers(connection)
        self.replacements: Replacements = SqlReplacements(connection)
        self.audit: AuditTrail = SqlAuditTrail(connection)
        self.answers: KeptAnswers = SqlKeptAnswers(connection)
        self.search: Search = SqlSearch(connection)
        self.heads: AuditHeads = SqlAuditHeads(connection)
