# SPDX-License-Identifier: Apache-2.0
"""`homeport device context show|set`: what is known of one device."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from homeport.errors import MalformedError
from homeport.server.cli.completing import Serial
from homeport.server.cli.context import files
from homeport.server.cli.context.given import attribute, json_object
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, print_json, say
from homeport.telemetry import visible

if TYPE_CHECKING:
    from homeport.api.wire.context import Context

app = typer.Typer(no_args_is_help=True)
app.command("import")(files.import_)
app.command("export")(files.export)


@app.callback()
def about() -> None:
    """What is known of devices: name, tags, location, attributes."""


@app.command()
def show(serial: Serial, config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """Show what is known of a device, and what does not fit its model's schema."""
    with the_platform(config, data) as platform:
        context = platform.contexts.get(platform.devices.find(serial).id)
    _print(context, as_json=as_json)


@app.command("set")
def set_(
    serial: Serial,
    *,
    name: Annotated[str | None, typer.Option(help='As people call it; "" takes it away.')] = None,
    tag: Annotated[list[str] | None, typer.Option(help="All its tags, one each.")] = None,
    location: Annotated[str | None, typer.Option(help="Where it is, in words.")] = None,
    position: Annotated[
        str | None, typer.Option(help="LATITUDE,LONGITUDE in degrees (WGS 84).")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--attribute", help="NAME=VALUE; JSON or text; null takes it away."),
    ] = None,
    patch: Annotated[
        str | None, typer.Option(help="JSON merge patch of all of it, or @FILE.")
    ] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Change what is known of a device; it is told what concerns it."""
    wanted: dict[str, Any] = json_object(patch) if patch else {}
    if name is not None:
        wanted["name"] = name or None
    if tag:
        wanted["tags"] = [each for each in tag if each]
    place: dict[str, Any] = {} if location is None else {"text": location or None}
    if position:
        place |= _position(position)
    if place:
        wanted["location"] = place
    if given:
        wanted["attributes"] = dict(attribute(each) for each in given)

    with the_platform(config, data) as platform:
        context = platform.contexts.change(platform.devices.find(serial).id, wanted)
    _print(context, as_json=as_json)


def _position(text: str) -> dict[str, float]:
    latitude, _, longitude = text.partition(",")
    try:
        return {"latitude": float(latitude), "longitude": float(longitude)}
    except ValueError:
        raise MalformedError(f"{text!r}: write LATITUDE,LONGITUDE, such as 48.14,11.58") from None


def _print(context: "Context", *, as_json: bool) -> None:
    if as_json:
        print_json(context.model_dump(mode="json"))
        return
    say(f"{escape(visible(context.name)) or 'no name'}, version {context.version}")
    if context.tags:
        say(f"  tags      {escape(visible(', '.join(context.tags)))}")
    place = context.location
    if place.text or place.latitude is not None:
        at = "" if place.latitude is None else f" ({place.latitude}, {place.longitude})"
        say(f"  location  {escape(visible((place.text or '') + at))}")
    for name, value in context.attributes.items():
        say(f"  {escape(visible(f'{name} = {value!r}'))}")
    for each in context.misfits:
        say(f"  [yellow]{escape(visible(f'{each.attribute} {each.reason}'))}[/]")
