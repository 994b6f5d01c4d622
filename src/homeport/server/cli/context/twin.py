# SPDX-License-Identifier: Apache-2.0
"""`homeport device twin show|set`: what a device is told, and what it says of itself."""

import json
from typing import Annotated

import typer
from rich.markup import escape

from homeport.domain.context.twin import Twin
from homeport.provisioning.context.change_desired import change_desired
from homeport.provisioning.context.held import twin_of
from homeport.provisioning.ports import Transaction
from homeport.server.cli.context.given import json_object
from homeport.server.cli.device.lookup import one_device
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    actor,
    now,
    print_json,
    read,
    say,
    settings_of,
    transact,
)
from homeport.telemetry import visible

app = typer.Typer(no_args_is_help=True)

Serial = Annotated[str, typer.Argument(help="Serial number, or the whole device id.")]


@app.callback()
def about() -> None:
    """What devices are told, and what they say of themselves."""


@app.command()
def show(serial: Serial, config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """Show a device's settings and its report."""

    async def verb(tx: Transaction) -> Twin:
        return await twin_of(tx, await one_device(tx, serial))

    _print(read(settings_of(config, data), verb), as_json=as_json)


@app.command("set")
def set_(
    serial: Serial,
    patch: Annotated[str, typer.Argument(help="JSON merge patch of its settings, or @FILE.")],
    if_version: Annotated[
        int | None, typer.Option(help="Only if nobody has changed it since this version.")
    ] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Change a device's settings; it gets them at once, or when it is back."""
    wanted = json_object(patch)

    async def verb(tx: Transaction) -> Twin:
        device = await one_device(tx, serial)
        return await change_desired(
            tx, device, wanted, if_version=if_version, actor=actor(), now=now()
        )

    _print(transact(settings_of(config, data), verb), as_json=as_json)


def _print(twin: Twin, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "device": str(twin.device),
                "version": twin.version,
                "desired": twin.desired,
                "is_pushed": twin.pushed == twin.version,
                "applied": twin.applied,
                "reported": twin.reported,
                "reported_at": twin.reported_at,
            }
        )
        return
    where = "the broker has it" if twin.pushed == twin.version else "on its way to the broker"
    said = f"the device uses version {twin.applied}" if twin.applied else "not yet in use"
    say(f"version {twin.version} ({where}; {said})")
    for name, document in (("desired", twin.desired), ("reported", twin.reported)):
        say(f"  {name}  {escape(visible(json.dumps(document, ensure_ascii=False)))}")
