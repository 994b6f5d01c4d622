# SPDX-License-Identifier: Apache-2.0
"""`homeport audit list`."""

from typing import Annotated

import typer

from homeport.domain.audit import AuditEvent, Name, Wanted
from homeport.domain.trail.lines import document_of
from homeport.provisioning.ports import Transaction
from homeport.server.cli.lookup import one_device
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    one_moment,
    print_json,
    print_table,
    read,
    say,
    settings_of,
)

Tenant = Annotated[str | None, typer.Option(help="Only what this tenant sees.")]
Device = Annotated[str | None, typer.Option(help="Serial number, or the whole device id.")]
Actor = Annotated[str | None, typer.Option(help="Only what this person or program did.")]
Names = Annotated[list[Name] | None, typer.Option("--name", help="Only these; may be repeated.")]
Since = Annotated[str | None, typer.Option(help="From this moment on: 2026-11-24T12:00, or 1h.")]


def list_(
    tenant: Tenant = None,
    device: Device = None,
    actor: Actor = None,
    names: Names = None,
    since: Since = None,
    after: Annotated[int | None, typer.Option(help="Cursor to go on from, oldest first.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=10_000)] = 50,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List what happened: the newest events, or on from a cursor."""

    async def look(tx: Transaction) -> list[AuditEvent]:
        wanted = Wanted(
            tenants=None if tenant is None else frozenset({tenant}),
            device=(await one_device(tx, device)).id if device else None,
            actor=actor,
            names=frozenset(names or ()),
            since=one_moment(since) if since else None,
        )
        newest = after is None
        found = await tx.audit.search(wanted, after=after, limit=limit, newest_first=newest)
        return sorted(found, key=lambda event: event.cursor)

    events = read(settings_of(config, data), look)
    if as_json:
        print_json([document_of(event) | {"story": event.story()} for event in events])
        return
    rows = [
        (
            str(event.cursor),
            f"{event.at:%Y-%m-%d %H:%M:%S}",
            event.actor,
            event.tenant or "–",
            event.device.serial_number if event.device else "–",
            event.name.value,
            event.story(),
        )
        for event in events
    ]
    print_table(("cursor", "time", "by", "tenant", "device", "event", ""), rows)
    if after is not None and len(events) == limit:
        say(f"There may be more: --after {events[-1].cursor}")
