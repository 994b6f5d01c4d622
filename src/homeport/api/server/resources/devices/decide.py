# SPDX-License-Identifier: Apache-2.0
"""Decide about one device: whose it is, whether it is let in, which key is right.

Each answers with the device as it is then. With If-Match a decision is made only about what the
caller has seen.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import APIRouter, Body

from homeport.api.server.ask import Acted, Ask, needs
from homeport.api.server.resources.devices.shown import changeable, detailed
from homeport.api.server.subjects import DevicePath, the_device
from homeport.api.wire.devices import Assignment, Decision, DeviceDetails, Revocation
from homeport.domain.device import Device
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError
from homeport.provisioning import decide
from homeport.provisioning.ownership.assign import assign
from homeport.provisioning.ports import Transaction
from homeport.provisioning.revoke import readmit, revoke

router: Final = APIRouter(prefix="/devices", tags=["devices"])

_UNSAID: Final = Revocation()
_ANY_KEY: Final = Decision()

Deciding = Callable[[Transaction, Device], Awaitable[object]]


@router.post("/{device_id}/assign", **needs(Permission.SALES_WRITE, 409, 412))
async def assign_device(device_id: DevicePath, said: Assignment, ask: Acted) -> DeviceDetails:
    """Say whose a device is; if it waits, it goes on at once."""

    async def verb(tx: Transaction, device: Device) -> None:
        ask.demand(None, "assignments")  # a seller's word, not an owner's
        await assign(tx, device, said.tenant, said.upstream, actor=ask.actor, now=ask.now)

    return await decided(ask, device_id, verb)


@router.post("/{device_id}/revoke", **needs(Permission.DEVICES_OPERATE, 409, 412))
async def revoke_device(
    device_id: DevicePath, ask: Acted, said: Annotated[Revocation, Body()] = _UNSAID
) -> DeviceDetails:
    """Revoke a device's access: it is disconnected at once and kept out."""
    return await decided(
        ask,
        device_id,
        lambda tx, device: revoke(tx, device, said.reason, actor=ask.actor, now=ask.now),
    )


@router.post("/{device_id}/readmit", **needs(Permission.DEVICES_OPERATE, 409, 412))
async def readmit_device(device_id: DevicePath, ask: Acted) -> DeviceDetails:
    """Let a revoked device enrol again, with a new key."""
    return await decided(
        ask, device_id, lambda tx, device: readmit(tx, device, actor=ask.actor, now=ask.now)
    )


@router.post("/{device_id}/accept", **needs(Permission.DEVICES_OPERATE, 409, 412))
async def accept_key(
    device_id: DevicePath, ask: Acted, said: Annotated[Decision, Body()] = _ANY_KEY
) -> DeviceDetails:
    """Accept a second key: it is the same device, reset or repaired."""
    return await decided(
        ask,
        device_id,
        lambda tx, device: decide.accept(tx, device, key=said.key, actor=ask.actor, now=ask.now),
    )


@router.post("/{device_id}/refuse", **needs(Permission.DEVICES_OPERATE, 409, 412))
async def refuse_key(
    device_id: DevicePath, ask: Acted, said: Annotated[Decision, Body()] = _ANY_KEY
) -> DeviceDetails:
    """Refuse a second key: it may be a copy; the running device goes on."""
    return await decided(
        ask,
        device_id,
        lambda tx, device: decide.refuse(tx, device, key=said.key, actor=ask.actor, now=ask.now),
    )


async def decided(ask: Ask, device_id: str, deciding: Deciding) -> DeviceDetails:
    """Decide about the device that the path names, once, and answer with it."""

    async def verb(tx: Transaction) -> DeviceDetails:
        device = await the_device(tx, ask, device_id)
        if ask.is_conditional:
            ask.demand_match(*changeable(await detailed(tx, ask, device)), what=device_id)
        await deciding(tx, device)
        after = await tx.devices.get(device.id)
        if after is None:
            raise HomeportError(Code.INTERNAL_ERROR, "a device vanished while it was decided on")
        return await detailed(tx, ask, after)

    return await ask.once(DeviceDetails, verb)
