# SPDX-License-Identifier: Apache-2.0
"""What may come late: devices' contexts, the schemas of their attributes, and their twins."""

from collections.abc import Sequence
from typing import Protocol

from homeport.domain.context.context import Context
from homeport.domain.context.schema import ModelSchema
from homeport.domain.context.twin import Twin
from homeport.domain.device import DeviceId


class Contexts(Protocol):
    """Names, tags, locations and attributes of devices."""

    async def get(self, device: DeviceId) -> Context | None:
        """Return a device's; None if nothing was ever said."""
        ...

    async def put(self, context: Context) -> None:
        """Keep it instead of an earlier one; the device must be there (DEVICE_UNKNOWN)."""
        ...

    async def remove(self, device: DeviceId) -> None:
        """Forget a device's; harmless if there is none."""
        ...

    async def page(self, tenant: str, *, after: DeviceId | None, limit: int) -> Sequence[Context]:
        """Return a tenant's, by device, beyond `after`."""
        ...

    async def tagged(
        self, tenant: str, tag: str, *, after: DeviceId | None, limit: int
    ) -> Sequence[Context]:
        """Return those of a tenant's that have the tag, by device, beyond `after`."""
        ...

    async def named(
        self, tenant: str, beginning: str, *, after: DeviceId | None, limit: int
    ) -> Sequence[Context]:
        """Return those of a tenant's whose name begins so, capitals or not, by name and device.

        Beyond the context of `after`, which must still be there; else from the beginning.
        """
        ...


class Schemas(Protocol):
    """What tenants expect of the attributes of their models."""

    async def latest(self, tenant: str, model: str) -> ModelSchema | None:
        """Return the version that counts."""
        ...

    async def add(self, schema: ModelSchema) -> None:
        """Keep a new version; one that is there already is a HomeportError(ALREADY_EXISTS)."""
        ...

    async def versions(self, tenant: str, model: str) -> Sequence[ModelSchema]:
        """Return all of a model, newest first (at most 100)."""
        ...


class Twins(Protocol):
    """What devices are told and what they say of themselves."""

    async def get(self, device: DeviceId) -> Twin | None:
        """Return a device's; None if it was never told anything and never said anything."""
        ...

    async def put(self, twin: Twin) -> None:
        """Keep it instead of an earlier one; the device must be there (DEVICE_UNKNOWN)."""
        ...

    async def unpushed(self, *, after: DeviceId | None, limit: int) -> Sequence[Twin]:
        """Return those whose version the broker does not have yet, by device, beyond `after`."""
        ...
