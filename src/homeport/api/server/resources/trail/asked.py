# SPDX-License-Identifier: Apache-2.0
"""Which events a caller asks for, and which of them it may see.

A tenant's events are seen by who may read its audit trail; who may only read its devices sees those
that are about a device. What is nobody's, or the platform's own, is the operator's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query

from homeport.api.server.paging import CURSOR_MAX
from homeport.api.wire.model import Name as TenantName
from homeport.domain.audit import Name, Wanted
from homeport.domain.device import DeviceId
from homeport.domain.people import Caller, Permission
from homeport.errors import Code, HomeportError, MalformedError

TEXT_MAX = 200
"""Characters of an actor."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked for, whoever asks."""

    tenant: str | None
    device: DeviceId | None
    names: frozenset[Name]
    actor: str | None
    since: datetime | None

    def view(self, caller: Caller, *, permission: Permission) -> Wanted:
        """Return what the caller sees of it; NOT_FOUND or ROLE_INSUFFICIENT if nothing ever."""
        tenants = self._tenants(caller, permission)
        partly = () if tenants is None else tenants
        return Wanted(
            tenants=tenants,
            devices_only_of=frozenset(
                name for name in partly if not caller.may(Permission.AUDIT_READ, name)
            ),
            device=self.device,
            names=self.names,
            actor=self.actor,
            since=self.since,
        )

    def _tenants(self, caller: Caller, permission: Permission) -> frozenset[str] | None:
        if self.tenant is not None:
            caller.demand(permission, self.tenant, f"tenant {self.tenant}")
            return frozenset({self.tenant})
        if caller.may(permission, None):
            return None
        allowed = frozenset(name for name in caller.roles if caller.may(permission, name))
        if not allowed:
            raise HomeportError(Code.ROLE_INSUFFICIENT, f"{caller.actor} lacks {permission}")
        return allowed


def _asking(
    tenant: Annotated[TenantName | None, Query(description="Only what this tenant sees.")] = None,
    device: Annotated[
        str | None, Query(max_length=CURSOR_MAX, description="Only of this device id.")
    ] = None,
    name: Annotated[list[Name], Query(max_length=len(Name), description="Only these.")] = [],  # noqa: B006 - FastAPI copies it
    actor: Annotated[str | None, Query(max_length=TEXT_MAX, description="Only by them.")] = None,
    since: Annotated[datetime | None, Query(description="From this moment on.")] = None,
) -> Asking:
    if since is not None and since.tzinfo is None:
        raise MalformedError("since: say the time zone, such as Z")
    found = DeviceId.parse(device) if device is not None else None
    return Asking(tenant, found, frozenset(name), actor, since)


Filtered = Annotated[Asking, Depends(_asking)]
"""Parameter of a handler that tells events."""


def cursor_of(text: str | None) -> int | None:
    """Read a cursor; MalformedError."""
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:  # noqa: PLR2004 - below 2**63
        raise MalformedError("a cursor of events is a number")
    return int(text)
