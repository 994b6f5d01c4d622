# SPDX-License-Identifier: Apache-2.0
"""The tables. A change here needs a migration; a test compares the two.

Rules: portable types only; devices are named by `str(DeviceId)`; instants are microseconds (see
`instants`); no private keys, ever. Text sorts by code point, as Python does. `upstream` columns
are no foreign keys: the platform's own upstream needs no row.

What an enrolment costs is the number of pages that it touches. An index on what grows (a number, an
identifier that begins with the time) touches one page for a whole group of commits; an index on a
hash or a device touches one for each device. So there is none that nothing needs.
"""

from homeport.storage.schema.answers import kept_answers
from homeport.storage.schema.audit import audit_heads
from homeport.storage.schema.claims import claims
from homeport.storage.schema.columns import METADATA
from homeport.storage.schema.context import UNPUSHED, context_tags, contexts, schemas, twins
from homeport.storage.schema.life import commands, offers, quarantines, replacements
from homeport.storage.schema.people import (
    accounts,
    api_keys,
    identities,
    invitations,
    members,
    sessions,
)
from homeport.storage.schema.registry import (
    COMMON,
    UNCOMMON,
    audit_events,
    authorities,
    credentials,
    devices,
    enrolments,
    presence,
    tenants,
    upstreams,
    vouchers,
)
from homeport.storage.schema.sales import sales_imports, sales_records

__all__ = [
    "COMMON",
    "METADATA",
    "UNCOMMON",
    "UNPUSHED",
    "accounts",
    "api_keys",
    "audit_events",
    "audit_heads",
    "authorities",
    "claims",
    "commands",
    "context_tags",
    "contexts",
    "credentials",
    "devices",
    "enrolments",
    "identities",
    "invitations",
    "kept_answers",
    "members",
    "offers",
    "presence",
    "quarantines",
    "replacements",
    "sales_imports",
    "sales_records",
    "schemas",
    "sessions",
    "tenants",
    "twins",
    "upstreams",
    "vouchers",
]
