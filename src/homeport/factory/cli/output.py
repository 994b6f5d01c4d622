# SPDX-License-Identifier: Apache-2.0
"""What the factory's commands share: options, tables, progress and errors.

Results go to standard output, progress and errors to standard error; with `--json` a result, or an
error, is one JSON object on standard output.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from cryptography import x509
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from homeport.clock import SystemClock
from homeport.errors import Code, HomeportError
from homeport.pki.certificates import load_bundle
from homeport.telemetry import visible

Directory = Annotated[Path, typer.Argument(help="The factory's directory.", metavar="DIR")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Since = Annotated[
    str | None,
    typer.Option(help="Only devices minted at or after this time (2026-11-23 or ...T12:00:00Z)."),
]

FILE_WIDTH: Final = 160
"""Columns when nobody watches: tables in logs and pipes are not cut."""

out: Final = Console(
    highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else FILE_WIDTH
)
err: Final = Console(stderr=True, highlight=False, soft_wrap=True)


def now() -> datetime:
    """Return the time of this command."""
    return SystemClock().now()


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print what is, name and value, for people."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(escape(name), escape(value))
    out.print(table)


def counted(number: int, noun: str) -> str:
    """Return "1 device", "2 devices"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def say(text: str) -> None:
    """Print a sentence for people."""
    out.print(escape(text))


def warn(text: str) -> None:
    """Print a warning, beside the result."""
    err.print(f"[yellow]{escape(text)}[/]")


def print_error(error: HomeportError, *, as_json: bool) -> None:
    """Say what went wrong and what to do: title, detail, advice."""
    if as_json:
        print_json({"error": error.as_dict()})
        return
    err.print(f"[bold red]{escape(error.title)}[/]")
    if error.detail:
        err.print(escape(visible(error.detail)))
    err.print(f"[dim]{escape(error.advice)}  ({error.code})[/]")


@contextmanager
def progress(
    what: str, total: int | None, *, quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal; yield what advances it."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    disabled = quiet or not err.is_terminal
    with Progress(*columns, console=err, transient=True, disable=disabled) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def read_certificates(path: Path) -> Sequence[x509.Certificate]:
    """Read a PEM file; raise FILE_MISSING, CERTIFICATE_MALFORMED."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{path}: {error.strerror}") from None
    try:
        return load_bundle(content)
    except HomeportError as error:
        raise HomeportError(error.code, f"{path}: {error.detail}") from None


def instant(text: str | None) -> datetime | None:
    """Read a date or time of ISO 8601, UTC unless it says otherwise; raise SETTING_WRONG."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise HomeportError(Code.SETTING_WRONG, f"not a date or time: {text!r}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
