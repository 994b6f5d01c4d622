# SPDX-License-Identifier: Apache-2.0
"""Do one thing to many devices: each in a transaction of its own, each with a result.

One that is refused does not stop the others. A dry run does all of it and undoes it, so it says
exactly what would happen; no event is recorded and nobody is told.
"""

from collections.abc import Awaitable, Callable, Sequence

from homeport.domain.device import Device, DeviceId
from homeport.domain.life.bulk import Came, Result
from homeport.errors import Code, HomeportError, Kind
from homeport.provisioning.ports import Registry, Transaction

Verb = Callable[[Transaction, Device], Awaitable[object]]


class _UndoneError(Exception):
    """Ends a dry run, so that the transaction is undone."""


async def to_each(
    registry: Registry, devices: Sequence[DeviceId], verb: Verb, *, is_dry_run: bool
) -> Sequence[Result]:
    """Do it to each; errors of the registry itself (Kind.UNAVAILABLE) are raised."""
    return [await _to_one(registry, device, verb, is_dry_run=is_dry_run) for device in devices]


async def _to_one(registry: Registry, device: DeviceId, verb: Verb, *, is_dry_run: bool) -> Result:
    async def work(tx: Transaction) -> None:
        known = await tx.devices.get(device)
        if known is None:
            raise HomeportError(Code.NOT_FOUND, f"device {device}")
        await verb(tx, known)
        if is_dry_run:
            raise _UndoneError

    try:
        await registry.transact(work)
    except _UndoneError:
        return Result(device, Came.WOULD_BE_DONE)
    except HomeportError as error:
        if error.kind is Kind.UNAVAILABLE:
            raise
        return Result(device, Came.REFUSED, error.code, error.detail)
    return Result(device, Came.DONE)
