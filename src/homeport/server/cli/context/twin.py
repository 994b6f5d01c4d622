# SPDX-License-Identifier: Apache-2.0
"""`homeport device twin show|set`: what a device is told, and what it says of itself."""

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from homeport.server.cli.completing import Serial
from homeport.server.cli.context.given import json_object
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, print_json, say
from homeport.telemetry import visible

if TYPE_CHECKING:
    from homeport.api.wire.context import Twin

app = typer.Typer(no_args_is_help=True)


@app.callback()
def about() -> None:
    """What devices are told, and what they say of themselves."""


@app.command()
def show(serial: Serial, config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """Show a device's settings and its report."""
    with the_platform(config, data) as platform:
        twin = platform.contexts.twin(platform.devices.find(serial).id)
    _print(twin, as_json=as_json)


@app.command("set")
def set_(
    serial: Serial,
    patch: Annotated[str, typer.Argument(help="JSON merge patch of its settings, or @FILE.")],
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Change a device's settings; it gets them at once, or when it is back."""
    wanted = json_object(patch)
    with the_platform(config, data) as platform:
        twin = platform.contexts.tell(platform.devices.find(serial).id, wanted)
    _print(twin, as_json=as_json)


def _print(twin: "Twin", *, as_json: bool) -> None:
    if as_json:
        print_json(twin.model_dump(mode="json"))
        return
    where = "the broker has it" if twin.is_pushed else "on its way to the broker"
    said = f"the device uses version {twin.applied}" if twin.applied else "not yet in use"
    say(f"version {twin.version} ({where}; {said})")
    for name, document in (("desired", twin.desired), ("reported", twin.reported)):
        say(f"  {name}  {escape(visible(json.dumps(document, ensure_ascii=False)))}")
