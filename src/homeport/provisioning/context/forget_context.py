# SPDX-License-Identifier: Apache-2.0
"""Forget what an owner said of a device: it has another one, or none."""

from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.provisioning.ports import Transaction


async def forget_context(tx: Transaction, device: Device, *, actor: str, now: datetime) -> None:
    """Remove context, settings and reports; harmless if there are none.

    `device` as it was before its owner changed. The version of what it is told goes on, so that no
    message of the earlier owner can count as newer; the broker is told to forget its copy.
    """
    context = await tx.contexts.get(device.id)
    twin = await tx.twins.get(device.id)
    if context is None and (twin is None or twin.tenant is None):
        return
    await tx.contexts.remove(device.id)
    if twin is not None:
        await tx.twins.put(twin.forgotten(now))
    await tx.audit.record(
        AuditEvent(
            name=Name.CONTEXT_FORGOTTEN,
            at=now,
            actor=actor,
            tenant=device.tenant,
            device=device.id,
        )
    )
