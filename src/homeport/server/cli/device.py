# SPDX-License-Identifier: Apache-2.0
"""`homeport device list|show`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import typer
from rich.markup import escape

from homeport.domain.credential import Credential
from homeport.domain.device import Device
from homeport.domain.enrolment import PARKED, Enrolment, State, next_steps
from homeport.provisioning.ports import DeviceFilter, Listed, Presence, Transaction
from homeport.server.cli.audit.timeline import Timeline, collapse, read_timeline
from homeport.server.cli.lookup import one_device
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    out,
    print_json,
    print_table,
    read,
    say,
    settings_of,
)
from homeport.telemetry import visible

app = typer.Typer(no_args_is_help=True)

NEVER_SEEN = "registered"
"""Shown for a device that never made contact."""


class Story(NamedTuple):
    """Everything that is shown of one device."""

    device: Device
    run: Enrolment | None
    candidates: Sequence[Enrolment]
    credentials: Sequence[Credential]
    presence: Presence | None
    timeline: Timeline


@app.command("list")
def list_(
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=10_000)] = 100,
    after: Annotated[str | None, typer.Option(help="Device id to go on from.")] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List devices with their states, by id."""
    page, more = read(settings_of(config, data), lambda tx: _page(tx, state, after, limit))
    if as_json:
        print_json([_summary(row.device, row.run) for row in page])
        return
    known = [(row.device, row.run) for row in page]
    rows = [
        (d.id.serial_number, d.model, _state(run), d.tenant or "–", d.upstream or "–", _when(run))
        for d, run in known
    ]
    print_table(("serial number", "model", "state", "tenant", "upstream", "since"), rows)
    if more:
        say(f"There may be more: --after {more}")


async def _page(
    tx: Transaction, state: State | None, after: str | None, limit: int
) -> tuple[list[Listed], str | None]:
    wanted = DeviceFilter(state=state)
    rows: list[Listed] = []
    while True:
        found = await tx.search.devices(wanted, after=after, limit=limit - len(rows))
        rows += found.rows
        after = found.next
        if after is None or len(rows) == limit:
            return rows, after


@app.command()
def show(
    serial: Annotated[str, typer.Argument(help="Serial number, or the whole device id.")],
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one device and its timeline."""
    story = read(settings_of(config, data), lambda tx: _story(tx, serial))
    if as_json:
        print_json(_document(story))
    else:
        _tell(story)


async def _story(tx: Transaction, serial: str) -> Story:
    device = await one_device(tx, serial)
    return Story(
        device,
        await tx.enrolments.latest(device.id),
        await tx.enrolments.candidates(device.id),
        await tx.credentials.of_device(device.id),
        await tx.presence.get(device.id),
        await read_timeline(tx, device.id),
    )


def _tell(story: Story) -> None:
    device, run = story.device, story.run
    name, state = escape(device.id.serial_number), _state(run)
    out.print(f"[bold]{name}[/]  {escape(visible(device.model))}  [bold]{state}[/]")
    if device.hardware_identity == "file":
        out.print("[yellow]its identity is a software key in a file: for development only[/]")
    owner = f"{device.tenant}, upstream {device.upstream}" if device.tenant else "nobody yet"
    out.print(f"belongs to {owner}; epoch {device.epoch}; id {escape(str(device.id))}")
    if story.presence:
        word = "online" if story.presence.online else "offline"
        out.print(f"{word} since {_clock(story.presence.since)}")
    if story.credentials:
        newest = story.credentials[-1]
        out.print(f"certificate {newest.state}, until {_clock(newest.not_after)}")
    if story.timeline.earlier:
        out.print(f"[dim]{story.timeline.earlier} earlier events are not shown[/]")
    for line in collapse((event.at, event.story()) for event in story.timeline.events):
        out.print(f"[dim]{_clock(line.at)}[/]  {escape(visible(str(line)))}")
    for candidate in story.candidates:
        out.print(f"waiting key {candidate.key_hash[:16]}, since {_clock(candidate.started_at)}")
    for step in next_steps(device.id, run, story.candidates):
        out.print(f"[bold]Next:[/] {escape(step)}")


def _document(story: Story) -> dict[str, Any]:
    presence = story.presence
    return _summary(story.device, story.run) | {
        "candidates": [{"key": c.key_hash, "since": c.changed_at} for c in story.candidates],
        "online": presence.online if presence else None,
        "online_since": presence.since if presence else None,
        "credentials": [
            {"fingerprint": c.fingerprint, "state": c.state, "not_after": c.not_after}
            for c in story.credentials
        ],
        "earlier_events": story.timeline.earlier,
        "timeline": [
            {"cursor": e.cursor, "at": e.at, "event": e.name, "actor": e.actor}
            | {"story": e.story(), "facts": dict(e.facts)}
            for e in story.timeline.events
        ],
    }


def _summary(device: Device, run: Enrolment | None) -> dict[str, Any]:
    return {
        "id": str(device.id),
        "serial_number": device.id.serial_number,
        "model": device.model,
        "hardware_identity": device.hardware_identity,
        "minted": device.minted,
        "state": _state(run),
        "missing": PARKED.get(run.state) if run else None,
        "tenant": device.tenant,
        "upstream": device.upstream,
        "epoch": device.epoch,
        "since": run.changed_at if run else device.registered_at,
    }


def _state(run: Enrolment | None) -> str:
    return str(run.state) if run else NEVER_SEEN


def _when(run: Enrolment | None) -> str:
    return _clock(run.changed_at) if run else "–"


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
