# SPDX-License-Identifier: Apache-2.0
"""What the verbs need: the registry's parts, and whoever signs certificates.

A verb is `async def verb(tx, ...)` over one `Transaction`: all that it writes is kept or nothing
is, its audit events too. It awaits nothing but the transaction's ports and does no other I/O, so an
adapter may drive it to its end at once (SQLite) or await it (PostgreSQL).
"""

from homeport.provisioning.ports.answers import KeptAnswer, KeptAnswers
from homeport.provisioning.ports.context import Contexts, Schemas, Twins
from homeport.provisioning.ports.devices import Devices, MintedDevice, Staged
from homeport.provisioning.ports.enrolments import (
    Credentials,
    Enrolments,
    Presence,
    PresenceBoard,
    StoredVoucher,
    Vouchers,
)
from homeport.provisioning.ports.issuer import IssuedCertificate, Issuer
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
from homeport.provisioning.ports.places import Authorities, Authority, Tenants, Upstreams
from homeport.provisioning.ports.registry import Registry, Transaction
from homeport.provisioning.ports.search import NEVER_SEEN, DeviceFilter, Found, Listed, Search
from homeport.provisioning.ports.trail import AuditHeads, AuditTrail, SealedHead

__all__ = [
    "NEVER_SEEN",
    "Accounts",
    "ApiKeys",
    "AuditHeads",
    "AuditTrail",
    "Authorities",
    "Authority",
    "ClaimCodes",
    "Claims",
    "Commands",
    "Contexts",
    "Credentials",
    "DeviceFilter",
    "Devices",
    "Enrolments",
    "Found",
    "Identities",
    "Invitations",
    "IssuedCertificate",
    "Issuer",
    "KeptAnswer",
    "KeptAnswers",
    "Listed",
    "Members",
    "MintedDevice",
    "Offers",
    "Presence",
    "PresenceBoard",
    "Quarantines",
    "Registry",
    "Replacements",
    "SalesImports",
    "SalesRecords",
    "Schemas",
    "SealedHead",
    "Search",
    "Sessions",
    "Staged",
    "StoredVoucher",
    "Tenants",
    "Transaction",
    "Twins",
    "Upstreams",
    "Vouchers",
]
