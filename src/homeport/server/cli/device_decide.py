# SPDX-License-Identifier: Apache-2.0
"""`homeport device assign|revoke|readmit|accept|refuse`: what people decide about one device."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

import typer

from homeport.domain.device import Device
from homeport.provisioning import decide
from homeport.provisioning.ownership.assign import assign as assign_owner
from homeport.provisioning.ports import Transaction
from homeport.provisioning.revoke import readmit, revoke
from homeport.server.cli.lookup import one_device
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    actor,
    now,
    print_json,
    say,
    settings_of,
    transact,
)

Serial = Annotated[str, typer.Argument(help="Serial number, or the whole device id.")]
Key = Annotated[
    str | None,
    typer.Option(help="How the key's hash begins, if several wait: see homeport device show."),
]
Decision = Callable[[Transaction, Device, datetime], Awaitable[object]]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to `homeport device`."""
    for verb in (assign, revoke_, readmit_, accept, refuse):
        app.command(verb.__name__.rstrip("_"))(verb)


def assign(
    serial: Serial,
    tenant: Annotated[str, typer.Option(help="Whose it is.")],
    upstream: Annotated[str | None, typer.Option(help="Else the tenant's default.")] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say whose a device is; if it waits, it goes on at once."""

    async def sell(tx: Transaction, device: Device, at: datetime) -> None:
        await assign_owner(tx, device, tenant, upstream, actor=actor(), now=at)

    _decide(serial, sell, f"{serial} belongs to {tenant} now.", (config, data, as_json))


def revoke_(
    serial: Serial,
    reason: Annotated[str, typer.Option(help="For the timeline.")] = "revoked by the operator",
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Revoke a device's access: it is disconnected at once and kept out."""

    async def end(tx: Transaction, device: Device, at: datetime) -> None:
        await revoke(tx, device, reason, actor=actor(), now=at)

    _decide(serial, end, f"{serial} is revoked.", (config, data, as_json))


def readmit_(
    serial: Serial, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """Let a revoked device enrol again, with a new key."""

    async def let(tx: Transaction, device: Device, at: datetime) -> None:
        await readmit(tx, device, actor=actor(), now=at)

    _decide(serial, let, f"{serial} may enrol again.", (config, data, as_json))


def accept(
    serial: Serial,
    key: Key = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Accept a second key: it is the same device, reset or repaired."""

    async def yes(tx: Transaction, device: Device, at: datetime) -> None:
        await decide.accept(tx, device, key=key, actor=actor(), now=at)

    _decide(serial, yes, f"{serial}: the new key takes over.", (config, data, as_json))


def refuse(
    serial: Serial,
    key: Key = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Refuse a second key: it may be a copy; the running device goes on."""

    async def no(tx: Transaction, device: Device, at: datetime) -> None:
        await decide.refuse(tx, device, key=key, actor=actor(), now=at)

    _decide(serial, no, f"{serial}: the second key was refused.", (config, data, as_json))


def _decide(serial: str, decision: Decision, done: str, options: tuple[Config, Data, bool]) -> None:
    config, data, as_json = options
    at = now()

    async def verb(tx: Transaction) -> Device:
        device = await one_device(tx, serial)
        await decision(tx, device, at)
        return device

    device = transact(settings_of(config, data), verb)
    if as_json:
        print_json({"device": str(device.id), "done": done})
    else:
        say(done)
