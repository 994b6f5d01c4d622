# SPDX-License-Identifier: Apache-2.0
"""Contexts, schemas and twins in memory."""

from collections.abc import Sequence

from fakes.registry.rows import Rows, keepable
from homeport.domain.context.context import Context
from homeport.domain.context.document import compact
from homeport.domain.context.schema import ModelSchema
from homeport.domain.context.twin import Twin
from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError


class FakeContexts:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def get(self, device: DeviceId) -> Context | None:
        return self._rows.contexts.get(device)

    async def put(self, context: Context) -> None:
        if context.device not in self._rows.devices:
            raise HomeportError(Code.DEVICE_UNKNOWN, str(context.device))
        compact(context.attributes)
        self._rows.contexts[context.device] = keepable(context)

    async def remove(self, device: DeviceId) -> None:
        self._rows.contexts.pop(device, None)

    async def page(self, tenant: str, *, after: DeviceId | None, limit: int) -> Sequence[Context]:
        beyond = str(after) if after else ""
        found = [
            context
            for context in self._rows.contexts.values()
            if context.tenant == tenant and str(context.device) > beyond
        ]
        return sorted(found, key=lambda context: str(context.device))[:limit]

    async def tagged(
        self, tenant: str, tag: str, *, after: DeviceId | None, limit: int
    ) -> Sequence[Context]:
        found = await self.page(tenant, after=after, limit=len(self._rows.contexts))
        return [context for context in found if tag in context.tags][:limit]

    async def named(
        self, tenant: str, beginning: str, *, after: DeviceId | None, limit: int
    ) -> Sequence[Context]:
        def place(context: Context) -> tuple[str, str]:
            return context.name.casefold(), str(context.device)

        seen = self._rows.contexts.get(after) if after else None
        if seen is not None and seen.tenant != tenant:
            seen = None
        found = [
            context
            for context in self._rows.contexts.values()
            if context.tenant == tenant
            and context.name.casefold().startswith(beginning.casefold())
            and (seen is None or place(context) > place(seen))
        ]
        return sorted(found, key=place)[:limit]


class FakeSchemas:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def latest(self, tenant: str, model: str) -> ModelSchema | None:
        found = await self.versions(tenant, model)
        return found[0] if found else None

    async def add(self, schema: ModelSchema) -> None:
        if schema.tenant not in self._rows.tenants:
            raise HomeportError(Code.TENANT_UNKNOWN, schema.tenant)
        versions = [each.version for each in await self.versions(schema.tenant, schema.model)]
        if schema.version in versions:
            raise HomeportError(Code.ALREADY_EXISTS, f"version {schema.version}")
        self._rows.schemas.append(schema)

    async def versions(self, tenant: str, model: str) -> Sequence[ModelSchema]:
        found = [
            each for each in self._rows.schemas if (each.tenant, each.model) == (tenant, model)
        ]
        return sorted(found, key=lambda schema: -schema.version)[:100]


class FakeTwins:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def get(self, device: DeviceId) -> Twin | None:
        return self._rows.twins.get(device)

    async def put(self, twin: Twin) -> None:
        if twin.device not in self._rows.devices:
            raise HomeportError(Code.DEVICE_UNKNOWN, str(twin.device))
        for document in (twin.desired, twin.reported):
            compact(document)
        self._rows.twins[twin.device] = twin

    async def unpushed(self, *, after: DeviceId | None, limit: int) -> Sequence[Twin]:
        beyond = str(after) if after else ""
        found = [
            twin
            for twin in self._rows.twins.values()
            if twin.pushed < twin.version and str(twin.device) > beyond
        ]
        return sorted(found, key=lambda twin: str(twin.device))[:limit]
