# SPDX-License-Identifier: Apache-2.0
"""`/devices/{id}/context` and `/twin`: what is known of a device, what it is told and says."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body

from homeport.api.server.ask import Asked, Changed, needs
from homeport.api.server.subjects import DevicePath, the_device
from homeport.api.wire.context import Context, ContextChange, Twin
from homeport.domain.people import Permission
from homeport.provisioning.context.change_context import change_context
from homeport.provisioning.context.change_desired import change_desired
from homeport.provisioning.context.held import context_of, twin_of
from homeport.provisioning.context.view import ContextView, view_context
from homeport.provisioning.ports import Transaction

MERGE_PATCH: Final = "application/merge-patch+json"
"""RFC 7396 section 4."""

router: Final = APIRouter(prefix="/devices", tags=["devices"])


@router.get("/{device_id}/context", **needs(Permission.DEVICES_READ))
async def get_context(device_id: DevicePath, ask: Asked) -> Context:
    """Show what is known of a device: name, tags, location, attributes."""

    async def verb(tx: Transaction) -> Context:
        view = await view_context(tx, await the_device(tx, ask, device_id))
        ask.tag(view.context.version)
        return shown(view)

    return await ask.read(verb)


@router.patch("/{device_id}/context", **needs(Permission.DEVICES_CONTEXT, 409, 412))
async def patch_context(
    device_id: DevicePath,
    change: Annotated[ContextChange, Body(media_type=MERGE_PATCH)],
    ask: Changed,
) -> Context:
    """Change what is known of a device; it is told what concerns it."""

    async def verb(tx: Transaction) -> Context:
        device = await the_device(tx, ask, device_id)
        ask.demand_match((await context_of(tx, device)).version, what=f"context of {device_id}")
        changed = await change_context(tx, device, change.patch(), actor=ask.actor, now=ask.now)
        ask.tag(changed.version)
        return shown(await view_context(tx, device))

    return await ask.transact(verb)


@router.get("/{device_id}/twin", **needs(Permission.DEVICES_READ))
async def get_twin(device_id: DevicePath, ask: Asked) -> Twin:
    """Show what a device is told, and what it says of itself."""

    async def verb(tx: Transaction) -> Twin:
        twin = await twin_of(tx, await the_device(tx, ask, device_id))
        ask.tag(twin.version)
        return Twin.of(twin)

    return await ask.read(verb)


@router.patch("/{device_id}/twin", **needs(Permission.DEVICES_CONTEXT, 409, 412))
async def patch_twin(
    device_id: DevicePath,
    patch: Annotated[
        dict[str, Any],
        Body(media_type=MERGE_PATCH, description="JSON merge patch of the settings (`desired`)."),
    ],
    ask: Changed,
) -> Twin:
    """Change a device's settings; it gets them at once, or when it is back."""

    async def verb(tx: Transaction) -> Twin:
        device = await the_device(tx, ask, device_id)
        ask.demand_match((await twin_of(tx, device)).version, what=f"twin of {device_id}")
        twin = await change_desired(tx, device, patch, actor=ask.actor, now=ask.now)
        ask.tag(twin.version)
        return Twin.of(twin)

    return await ask.transact(verb)


def shown(view: ContextView) -> Context:
    """Show a context beside its schema."""
    return Context.of(view.context, view.schema_version, view.misfits)
