# SPDX-License-Identifier: Apache-2.0
"""What every verb of the operator's command line shares: options, the registry, output, errors.

Most verbs ask at the people's door (`reach.py`). Those that open the registry themselves stream
files, read the audit trail, or keep accounts: on the platform's own machine only, where whoever may
read the data directory is the operator. A running platform notices what they commit within 100 ms.
"""

import asyncio
import getpass
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from homeport.clock import SystemClock
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.ports import Registry, Transaction
from homeport.server.opening import open_registry
from homeport.server.settings import ServerSettings, load_settings
from homeport.settings import parse_duration
from homeport.telemetry import visible

Result = TypeVar("Result")

TABLE_WIDTH: Final = 1000
"""Columns that a table may take; a terminal that is narrower breaks its lines."""

Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file (else $HOMEPORT_CONFIG).")
]
Data = Annotated[Path | None, typer.Option("--data", help="Data directory of the platform.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

out: Final = Console(highlight=False, soft_wrap=True)
err: Final = Console(stderr=True, highlight=False, soft_wrap=True)
_uncut: Final = Console(highlight=False, soft_wrap=True, width=TABLE_WIDTH)


def settings_of(config: Path | None, data: Path | None) -> ServerSettings:
    """Read the settings with the options that every verb has."""
    return load_settings(config, {"data": str(data.absolute()) if data else None})


def actor() -> str:
    """Return who is typing, for the audit trail."""
    return f"operator {getpass.getuser()}"


def now() -> datetime:
    """Return the time of this command."""
    return SystemClock().now()


def with_registry(
    settings: ServerSettings, work: Callable[[Registry], Awaitable[Result]]
) -> Result:
    """Open the registry, do the work, close it."""

    async def opened() -> Result:
        async with open_registry(settings) as registry:
            return await work(registry)

    return asyncio.run(opened())


def transact(settings: ServerSettings, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
    """Run one verb that writes."""
    return with_registry(settings, lambda registry: registry.transact(verb))


def read(settings: ServerSettings, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
    """Run one verb that only reads; FILE_MISSING where no platform has ever been."""
    demand_platform(settings)
    return with_registry(settings, lambda registry: registry.read(verb))


def demand_platform(settings: ServerSettings) -> None:
    """Raise FILE_MISSING where no platform has ever been."""
    if not settings.data.exists():
        detail = f"{settings.data}: no platform keeps its data here; --data names another place"
        raise HomeportError(Code.FILE_MISSING, detail)


def print_json(value: Any) -> None:
    """Print one JSON document; instants in ISO 8601."""
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def counted(number: int, noun: str) -> str:
    """Return "1 device", "2 devices"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def say(text: str) -> None:
    """Print a sentence for people."""
    out.print(text)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows for people; the cells are text, never markup, and never cut: they are copied."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*(escape(visible(cell)) for cell in row))
    _uncut.print(table)


def one_moment(text: str) -> datetime:
    """Read a moment: ISO 8601 (UTC unless it says otherwise), or "90s", "15m", "1h", "7d" ago."""
    try:
        return now() - parse_duration(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        raise MalformedError(f"{text!r} is no moment: 2026-11-24T12:00, or 1h ago: 1h") from None


def print_error(error: HomeportError, *, as_json: bool) -> None:
    """Say what went wrong and what to do: title, detail, advice."""
    if as_json:
        print_json({"error": error.as_dict()})
        return
    err.print(f"[bold red]{escape(error.title)}[/]")
    if error.detail:
        err.print(escape(visible(error.detail)))
    err.print(f"[dim]{escape(error.advice)}  ({error.code})[/]")
