# SPDX-License-Identifier: Apache-2.0
"""What is kept in memory, and text that no database keeps."""

from copy import copy
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from homeport.domain.account import Account, Identity
from homeport.domain.api_key import ApiKey
from homeport.domain.audit import AuditEvent
from homeport.domain.claim import Claim, ClaimCode
from homeport.domain.context.context import Context
from homeport.domain.context.schema import ModelSchema
from homeport.domain.context.twin import Twin
from homeport.domain.credential import Credential
from homeport.domain.device import Device, DeviceId
from homeport.domain.enrolment import Enrolment
from homeport.domain.life.command import Command
from homeport.domain.life.offer import Offer
from homeport.domain.life.quarantine import Quarantine
from homeport.domain.life.replacement import Replacement
from homeport.domain.membership import Invitation, Member
from homeport.domain.ownership import SalesImport, SalesRecord
from homeport.domain.session import Session
from homeport.domain.tenant import Tenant
from homeport.domain.upstream import Upstream
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.ports import Authority, KeptAnswer, Presence, SealedHead, StoredVoucher

Value = TypeVar("Value")


@dataclass
class Rows:
    """All that is kept. Values never change, so a copy of the containers is a snapshot."""

    authorities: dict[str, Authority] = field(default_factory=dict)
    tenants: dict[str, Tenant] = field(default_factory=dict)
    upstreams: dict[str, Upstream] = field(default_factory=dict)
    devices: dict[DeviceId, Device] = field(default_factory=dict)
    sales: list[SalesRecord] = field(default_factory=list)
    imports: dict[int, SalesImport] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    claim_codes: dict[DeviceId, ClaimCode] = field(default_factory=dict)
    enrolments: dict[str, Enrolment] = field(default_factory=dict)
    credentials: dict[str, Credential] = field(default_factory=dict)
    vouchers: dict[tuple[DeviceId, str, int], StoredVoucher] = field(default_factory=dict)
    presence: dict[DeviceId, Presence] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    identities: dict[tuple[str, str], Identity] = field(default_factory=dict)
    members: dict[tuple[str, str], Member] = field(default_factory=dict)
    invitations: dict[str, Invitation] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    api_keys: dict[str, ApiKey] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    replacements: dict[DeviceId, Replacement] = field(default_factory=dict)
    quarantines: dict[DeviceId, Quarantine] = field(default_factory=dict)
    contexts: dict[DeviceId, Context] = field(default_factory=dict)
    schemas: list[ModelSchema] = field(default_factory=list)
    twins: dict[DeviceId, Twin] = field(default_factory=dict)
    audit: list[AuditEvent] = field(default_factory=list)
    answers: dict[tuple[str, str], KeptAnswer] = field(default_factory=dict)
    heads: dict[int, SealedHead] = field(default_factory=dict)

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
