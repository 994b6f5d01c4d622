# SPDX-License-Identifier: Apache-2.0
"""`homeport device assign|revoke|readmit|accept|refuse`: what people decide about one device."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from homeport.server.cli.completing import Serial, tenant_completions
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, print_json, say

if TYPE_CHECKING:
    from homeport.api.client.platform import Platform

Key = Annotated[
    str | None,
    typer.Option(help="How the key's hash begins, if several wait: see homeport device show."),
]
Decision = Callable[["Platform", str], object]
"""What is done to the device with this id."""


def add_to(app: typer.Typer) -> None:
    """Add these verbs to `homeport device`."""
    for verb in (assign, revoke_, readmit_, accept, refuse):
        app.command(verb.__name__.rstrip("_"))(verb)


def assign(
    serial: Serial,
    tenant: Annotated[str, typer.Option(help="Whose it is.", autocompletion=tenant_completions)],
    upstream: Annotated[str | None, typer.Option(help="Else the tenant's default.")] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say whose a device is; if it waits, it goes on at once."""
    decide(
        serial,
        lambda platform, device: platform.devices.assign(device, tenant, upstream),
        f"{serial} belongs to {tenant} now.",
        (config, data, as_json),
    )


def revoke_(
    serial: Serial,
    reason: Annotated[str, typer.Option(help="For the timeline.")] = "revoked by the operator",
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Revoke a device's access: it is disconnected at once and kept out."""
    decide(
        serial,
        lambda platform, device: platform.devices.revoke(device, reason),
        f"{serial} is revoked.",
        (config, data, as_json),
    )


def readmit_(
    serial: Serial, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """Let a revoked device enrol again, with a new key."""
    decide(
        serial,
        lambda platform, device: platform.devices.readmit(device),
        f"{serial} may enrol again.",
        (config, data, as_json),
    )


def accept(
    serial: Serial,
    key: Key = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Accept a second key: it is the same device, reset or repaired."""
    decide(
        serial,
        lambda platform, device: platform.devices.accept(device, key),
        f"{serial}: the new key takes over.",
        (config, data, as_json),
    )


def refuse(
    serial: Serial,
    key: Key = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Refuse a second key: it may be a copy; the running device goes on."""
    decide(
        serial,
        lambda platform, device: platform.devices.refuse(device, key),
        f"{serial}: the second key was refused.",
        (config, data, as_json),
    )


def decide(serial: str, decision: Decision, done: str, options: tuple[Config, Data, bool]) -> None:
    """Find the device, do it, and say so; `options`: config, data, as_json."""
    config, data, as_json = options
    with the_platform(config, data) as platform:
        device = platform.devices.find(serial)
        decision(platform, device.id)
    if as_json:
        print_json({"device": device.id, "done": done})
    else:
        say(done)
