# SPDX-License-Identifier: Apache-2.0
"""The operator at the platform's machine: verbs on the registry of a platform that runs."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from fakes.live import LivePlatform
from homeport.domain.device import Device
from homeport.provisioning.ports import Transaction
from homeport.server.opening import open_registry
from homeport.server.settings import load_settings

Result = TypeVar("Result")

ACTOR = "operator test"


def now() -> datetime:
    """The time of a verb."""
    return datetime.now(UTC)


def operate(
    platform: LivePlatform, serial: str, verb: Callable[[Transaction, Device], Awaitable[Result]]
) -> Result:
    """Run a verb on one device, in one transaction, as `homeport device …` does."""

    async def with_device(tx: Transaction) -> Result:
        (device,) = await tx.devices.find(serial)
        return await verb(tx, device)

    async def opened() -> Result:
        async with open_registry(load_settings(platform.config, {})) as registry:
            return await registry.transact(with_device)

    return asyncio.run(opened())


def names(platform: LivePlatform, serial: str) -> list[str]:
    """The device's timeline, by the names of the events."""

    async def timeline(tx: Transaction, device: Device) -> list[str]:
        return [str(event.name) for event in await tx.audit.of_device(device.id)]

    return operate(platform, serial, timeline)
