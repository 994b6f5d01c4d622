# SPDX-License-Identifier: Apache-2.0
"""`/bulk`: one thing done to many devices, each in its own transaction and with its own result.

Whoever names a device that is not theirs gets nothing at all; whatever else is refused, is refused
for that device alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from fastapi import APIRouter

from homeport.api.server.ask import Ask, Asked, needs
from homeport.api.server.subjects import the_device
from homeport.api.wire.bulk import (
    CHUNK_MAX,
    Bulk,
    BulkOperation,
    BulkResult,
    BulkResults,
    BulkTransfer,
)
from homeport.domain.device import Device, DeviceId
from homeport.domain.life.command import Order
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.life.ask import ask as ask_device
from homeport.provisioning.life.bulk import Verb, to_each
from homeport.provisioning.life.decommission import decommission
from homeport.provisioning.life.offer import offer
from homeport.provisioning.life.offer_ends import withdraw
from homeport.provisioning.life.quarantine import quarantine, release
from homeport.provisioning.life.reset import reset
from homeport.provisioning.ports import DeviceFilter, Transaction
from homeport.provisioning.revoke import readmit, revoke

router: Final = APIRouter(prefix="/bulk", tags=["bulk"])

_OPERATIONS: Final[Mapping[str, Callable[[Ask, BulkOperation], Verb]]] = {
    "renew": lambda ask, _: _asking(ask, Order.RENEW),
    "rekey": lambda ask, _: _asking(ask, Order.REKEY),
    "reset": lambda ask, said: (
        lambda tx, device: reset(
            tx, device, keeps_context=said.keeps_context, actor=ask.actor, now=ask.now
        )
    ),
    "revoke": lambda ask, said: (
        lambda tx, device: revoke(tx, device, said.reason, actor=ask.actor, now=ask.now)
    ),
    "readmit": lambda ask, _: lambda tx, device: readmit(tx, device, actor=ask.actor, now=ask.now),
    "quarantine": lambda ask, said: (
        lambda tx, device: quarantine(tx, device, said.reason, actor=ask.actor, now=ask.now)
    ),
    "release": lambda ask, _: lambda tx, device: release(tx, device, actor=ask.actor, now=ask.now),
}


@router.post("/operate", **needs(Permission.DEVICES_OPERATE))
async def operate_devices(said: BulkOperation, ask: Asked) -> BulkResults:
    """Renew, rekey, reset, revoke, readmit, quarantine or release many devices."""
    return await _to_all(ask, said, _OPERATIONS[said.action](ask, said))


@router.post("/transfer", **needs(Permission.DEVICES_TRANSFER))
async def transfer_devices(said: BulkTransfer, ask: Asked) -> BulkResults:
    """Offer many devices to a tenant, take the offers back, or decommission them."""
    if (said.action == "offer") != (said.tenant is not None):
        raise MalformedError("body.tenant: devices are offered to a tenant by name, and only so")
    return await _to_all(ask, said, _transfer(ask, said))


def _asking(ask: Ask, order: Order) -> Verb:
    return lambda tx, device: ask_device(tx, device, order, actor=ask.actor, now=ask.now)


def _transfer(ask: Ask, said: BulkTransfer) -> Verb:
    async def take_back(tx: Transaction, device: Device) -> None:
        made = await tx.offers.open_of(device.id)
        if made is None:
            raise HomeportError(Code.TRANSITION_ILLEGAL, "the device is not offered")
        await withdraw(tx, made, actor=ask.actor, now=ask.now)

    match said.action:
        case "offer":
            return lambda tx, device: offer(tx, device, said.tenant, actor=ask.actor, now=ask.now)
        case "withdraw":
            return take_back
        case "decommission":
            return lambda tx, device: decommission(tx, device, actor=ask.actor, now=ask.now)


async def _to_all(ask: Ask, said: Bulk, verb: Verb) -> BulkResults:
    if (said.devices is None) == (said.filter is None):
        raise MalformedError("body: either devices or a filter")
    devices, more = await ask.read(lambda tx: _meant(tx, ask, said))

    async def still_theirs(tx: Transaction, device: Device) -> None:
        # Between look and deed a device may have changed hands.
        ask.demand(device.tenant, f"device {device.id}")
        await verb(tx, device)

    results = await to_each(ask.registry(), devices, still_theirs, is_dry_run=said.dry_run)
    return BulkResults(items=[BulkResult.of(result) for result in results], next=more)


async def _meant(tx: Transaction, ask: Ask, said: Bulk) -> tuple[Sequence[DeviceId], str | None]:
    if said.filter is None:
        named = enumerate(said.devices or ())
        found = [await the_device(tx, ask, name, f"body.devices[{at}]") for at, name in named]
        return list(dict.fromkeys(device.id for device in found)), None
    mine = ask.tenants()
    if said.filter.tenant is not None:
        ask.demand(said.filter.tenant, f"tenant {said.filter.tenant}")
        mine = [said.filter.tenant]
    wanted = DeviceFilter(
        tenants=mine,
        text=said.filter.search,
        state=said.filter.state,
        model=said.filter.model,
        is_online=said.filter.online,
    )
    fitting = await tx.search.devices(wanted, after=said.after, limit=CHUNK_MAX)
    return [row.device.id for row in fitting.rows], fitting.next
