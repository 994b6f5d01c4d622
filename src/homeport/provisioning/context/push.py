# SPDX-License-Identifier: Apache-2.0
"""What devices are told, on its way to the broker: what waits, and what has arrived there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from homeport.domain.context.document import Document
from homeport.domain.context.twin import Twin
from homeport.domain.device import DeviceId
from homeport.provisioning.context.held import context_of
from homeport.provisioning.ports import Transaction


@dataclass(frozen=True, slots=True)
class Push:
    """What the broker must be told about one device."""

    twin: Twin
    tenant: str | None
    """Whose device it is, and below whose topics the message goes; None: nobody's, no message."""
    context: Document
    """What of the context the device is told."""


async def waiting_pushes(tx: Transaction, *, after: DeviceId | None, limit: int) -> Sequence[Push]:
    """Return what the broker does not have yet, by device, beyond `after`."""
    pushes = []
    for twin in await tx.twins.unpushed(after=after, limit=limit):
        device = await tx.devices.get(twin.device)
        if device is None or twin.tenant is None or device.tenant != twin.tenant:
            pushes.append(Push(twin, None, {}))
        else:
            context = await context_of(tx, device)
            pushes.append(Push(twin, twin.tenant, context.for_device()))
    return pushes


async def note_pushed(tx: Transaction, pushes: Iterable[Push]) -> None:
    """Note what the broker has now; what was changed meanwhile goes on waiting."""
    for push in pushes:
        twin = await tx.twins.get(push.twin.device)
        if twin is not None:
            await tx.twins.put(twin.as_pushed(push.twin.version, push.tenant))
