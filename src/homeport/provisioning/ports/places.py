# SPDX-License-Identifier: Apache-2.0
"""Whose identities are believed, who owns devices, and where devices can be sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from homeport.domain.tenant import Tenant
from homeport.domain.upstream import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A trusted issuer of device identities."""

    id: str
    name: str
    anchor: bytes
    """Its trust anchor, DER."""
    trusted_at: datetime


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

    async def page(self, *, after: str | None, limit: int) -> Sequence[Tenant]:
        """Return some of them, by name, beyond `after`."""
        ...

    async def get(self, name: str) -> Tenant | None:
        """Return one by its name."""
        ...

    async def all(self) -> Sequence[Tenant]:
        """Return all, by name."""
        ...

    async def add(self, tenant: Tenant) -> None:
        """Add one; a name that is there already is a HomeportError(ALREADY_EXISTS)."""
        ...

    async def change(self, tenant: Tenant) -> None:
        """Change title and default upstream of the one with this name."""
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
