# SPDX-License-Identifier: Apache-2.0
"""Authorities, tenants and upstreams in memory."""

from collections.abc import Sequence
from dataclasses import replace

from fakes.registry.rows import add_new, keepable
from homeport.domain.tenant import Tenant
from homeport.domain.upstream import Upstream
from homeport.provisioning.ports import Authority


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

    async def page(self, *, after: str | None, limit: int) -> Sequence[Tenant]:
        return [tenant for tenant in await self.all() if tenant.name > (after or "")][:limit]

    async def add(self, tenant: Tenant) -> None:
        add_new(self._rows, tenant.name, tenant)

    async def change(self, tenant: Tenant) -> None:
        known = self._rows.get(tenant.name)
        if known:
            self._rows[tenant.name] = keepable(replace(tenant, added_at=known.added_at))


class FakeUpstreams:
    def __init__(self, rows: dict[str, Upstream]) -> None:
        self._rows = rows

    async def get(self, name: str) -> Upstream | None:
        return self._rows.get(name)

    async def all(self) -> Sequence[Upstream]:
        return sorted(self._rows.values(), key=lambda upstream: upstream.name)

    async def add(self, upstream: Upstream) -> None:
        add_new(self._rows, upstream.name, upstream)
