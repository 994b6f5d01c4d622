# SPDX-License-Identifier: Apache-2.0
"""People and programs at the people's door: roles, what each may do, and who is asking.

Rules: a role counts in one tenant only; the platform's operator may do everything everywhere; an
API key may do less than who made it, never more, and nobody may more by it. What a caller may not
see does not exist for it (NOT_FOUND); what it may see but not do is refused with the role that is
needed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from homeport.errors import Code, HomeportError


class Permission(StrEnum):
    """What can be allowed. `subject:action`, as API keys name them in their scopes."""

    DEVICES_READ = "devices:read"
    DEVICES_CLAIM = "devices:claim"  # register, claim, confirm by presence
    DEVICES_CONTEXT = "devices:context"  # name, tags, attributes, location, twin
    DEVICES_OPERATE = "devices:operate"  # renew, rekey, revoke, quarantine, reset, replace, decide
    DEVICES_TRANSFER = "devices:transfer"  # offer, accept, decommission
    SALES_WRITE = "sales:write"
    TENANT_READ = "tenant:read"
    TENANT_WRITE = "tenant:write"  # title, default upstream, models' schemas
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"  # invite, change role, remove; API keys
    AUDIT_READ = "audit:read"
    PLATFORM_OPERATE = "platform:operate"  # tenants, upstreams, manifests, vouchers: operator only


class Role(StrEnum):
    """What a member is in a tenant; each may all that the one before it may."""

    VIEWER = "viewer"
    INSTALLER = "installer"
    ENGINEER = "engineer"
    ADMIN = "admin"


_VIEWER: Final = frozenset({Permission.DEVICES_READ, Permission.TENANT_READ})
_INSTALLER: Final = _VIEWER | {Permission.DEVICES_CLAIM}
_ENGINEER: Final = _INSTALLER | {
    Permission.DEVICES_CONTEXT,
    Permission.DEVICES_OPERATE,
    Permission.MEMBERS_READ,
}
_ADMIN: Final = frozenset(Permission) - {Permission.PLATFORM_OPERATE, Permission.SALES_WRITE}

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.VIEWER: _VIEWER,
    Role.INSTALLER: _INSTALLER,
    Role.ENGINEER: _ENGINEER,
    Role.ADMIN: _ADMIN,
}
"""The table of docs/reference/roles.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks at the people's door, once it was shown who it is."""

    actor: str
    """For the audit trail: a person's sign-in name, or "key NAME"."""
    account: str | None = None
    """Id of the account; None for an API key and for the operator at the machine itself."""
    answers: str | None = None
    """Id of the account that answers for it: its own, or that of who made the API key."""
    is_operator: bool = False
    roles: Mapping[str, Role] = field(default_factory=dict)
    """By tenant."""
    scopes: frozenset[Permission] | None = None
    """What an API key is limited to; None: whatever the roles allow."""

    def may(self, permission: Permission, tenant: str | None) -> bool:
        """Say whether it is allowed in the tenant; None: what belongs to no tenant."""
        if self.scopes is not None and permission not in self.scopes:
            return False
        if self.is_operator:
            return True
        role = self.roles.get(tenant) if tenant is not None else None
        return role is not None and permission in PERMISSIONS[role]

    def sees(self, tenant: str | None) -> bool:
        """Say whether the tenant exists for this caller."""
        return self.is_operator or (tenant is not None and tenant in self.roles)

    def demand(self, permission: Permission, tenant: str | None, what: str) -> None:
        """Refuse what is not allowed: NOT_FOUND for what is not theirs, else ROLE_INSUFFICIENT.

        `what` names the object, for the log: "device EX-1".
        """
        if self.may(permission, tenant):
            return
        if not self.sees(tenant):
            raise HomeportError(Code.NOT_FOUND, what)
        raise HomeportError(Code.ROLE_INSUFFICIENT, f"{self.actor} lacks {permission} for {what}")

    def demand_to_give(self, role: Role) -> None:
        """Refuse an API key that gives a role which may more than the key: ROLE_INSUFFICIENT.

        Nor does any key make an admin, who could make keys that outlive it.
        """
        if self.scopes is None:
            return
        if role is Role.ADMIN or not PERMISSIONS[role] <= self.scopes:
            raise HomeportError(Code.ROLE_INSUFFICIENT, f"{self.actor} gives nobody role {role}")

    def demand_person(self, what: str) -> None:
        """Refuse an API key what would outlive it or know no scopes: ROLE_INSUFFICIENT."""
        if self.scopes is not None:
            raise HomeportError(Code.ROLE_INSUFFICIENT, f"no API key {what}: sign in, and do it")

    def tenants(self) -> Collection[str] | None:
        """Names of the tenants whose objects it may see; None: all."""
        return None if self.is_operator else self.roles.keys()
