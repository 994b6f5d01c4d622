# SPDX-License-Identifier: Apache-2.0
"""`homeport device list|show`."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from homeport.domain.enrolment import State
from homeport.provisioning.ports import NEVER_SEEN
from homeport.server.cli.completing import Serial, tenant_completions
from homeport.server.cli.device.timeline import Timeline, collapse, newest
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, out, print_json, print_table, say
from homeport.telemetry import visible

if TYPE_CHECKING:
    from homeport.api.client.platform import Platform
    from homeport.api.wire.devices import Device, DeviceDetails

app = typer.Typer(no_args_is_help=True)

PAGE_MAX = 1000
"""Devices that the platform lists at once."""


@app.command("list")
def list_(
    tenant: Annotated[
        str | None, typer.Option(help="Only this tenant's.", autocompletion=tenant_completions)
    ] = None,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    model: Annotated[str | None, typer.Option(help="Only of this model.")] = None,
    online: Annotated[
        bool | None, typer.Option("--online/--offline", help="Only those connected, or not.")
    ] = None,
    search: Annotated[str | None, typer.Option(help="How the serial number begins.")] = None,
    name: Annotated[str | None, typer.Option(help="How the device's name begins.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only those with this tag.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=10_000)] = 100,
    after: Annotated[str | None, typer.Option(help="Where the last list said to go on.")] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List devices with their states, by serial number within each tenant."""
    wanted = {
        "tenant": tenant, "state": state, "model": model, "online": online, "search": search,
        "name": name, "tag": tag,
    }  # fmt: skip
    with the_platform(config, data) as platform:
        page, more = _page(platform, wanted, after, limit)
    if as_json:
        print_json([_summary(device) for device in page])
        return
    rows = [
        (d.serial_number, d.model, d.state, d.tenant or "–", d.upstream or "–", _when(d))
        for d in page
    ]
    print_table(("serial number", "model", "state", "tenant", "upstream", "since"), rows)
    if more:
        say(f"There may be more: --after {more}")


def _page(
    platform: "Platform", wanted: Mapping[str, object], after: str | None, limit: int
) -> tuple[list["Device"], str | None]:
    """Read as many as were asked for: the platform's own pages are shorter."""
    rows: list[Device] = []
    while True:
        count = min(limit - len(rows), PAGE_MAX)
        page = next(platform.devices.pages(after=after, limit=count, **wanted))
        rows += page.items
        after = page.next
        if after is None or len(rows) >= limit:
            return rows, after


@app.command()
def show(serial: Serial, config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """Show one device and its timeline."""
    with the_platform(config, data) as platform:
        device = platform.devices.find(serial)
        timeline = newest(platform.devices.timeline(device.id))
    if as_json:
        print_json(_document(device, timeline))
    else:
        _tell(device, timeline)


def _tell(device: "DeviceDetails", timeline: Timeline) -> None:
    name = escape(device.serial_number)
    out.print(f"[bold]{name}[/]  {escape(visible(device.model))}  [bold]{device.state}[/]")
    if device.hardware_identity == "file":
        out.print("[yellow]its identity is a software key in a file: for development only[/]")
    owner = f"{device.tenant}, upstream {device.upstream}" if device.tenant else "nobody yet"
    out.print(f"belongs to {owner}; epoch {device.epoch}; id {escape(device.id)}")
    if device.online_since is not None:
        word = "online" if device.online else "offline"
        out.print(f"{word} since {_clock(device.online_since)}")
    if device.credentials:
        newest = device.credentials[-1]
        out.print(f"certificate {newest.state}, until {_clock(newest.not_after)}")
    if timeline.earlier:
        out.print(f"[dim]{timeline.earlier} earlier events are not shown[/]")
    for line in collapse((event.at, event.story) for event in timeline.events):
        out.print(f"[dim]{_clock(line.at)}[/]  {escape(visible(str(line)))}")
    for candidate in device.candidates:
        out.print(f"waiting key {candidate.key[:16]}, since {_clock(candidate.since)}")
    for advice in device.advice:
        out.print(f"[bold]Next:[/] {escape(advice)}")


def _document(device: "DeviceDetails", timeline: Timeline) -> dict[str, Any]:
    return _summary(device) | {
        "candidates": [each.model_dump() for each in device.candidates],
        "online": device.online,
        "online_since": device.online_since,
        "credentials": [each.model_dump() for each in device.credentials],
        "earlier_events": timeline.earlier,
        "timeline": [event.model_dump() for event in timeline.events],
    }


def _summary(device: "Device") -> dict[str, Any]:
    return {
        "id": device.id,
        "serial_number": device.serial_number,
        "model": device.model,
        "hardware_identity": device.hardware_identity,
        "minted": device.minted,
        "state": device.state,
        "missing": device.missing,
        "tenant": device.tenant,
        "upstream": device.upstream,
        "epoch": device.epoch,
        "since": device.since,
    }


def _when(device: "Device") -> str:
    return "–" if device.state == NEVER_SEEN else _clock(device.since)


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
