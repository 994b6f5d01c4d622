# SPDX-License-Identifier: Apache-2.0
"""`homeport sales import`."""

import asyncio
import contextlib
import csv
import gc
import hashlib
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from homeport.clock import SystemClock
from homeport.errors import Code, HomeportError
from homeport.provisioning.imports.sales import (
    Intake,
    SalesFaultsError,
    SalesReport,
    import_sales,
)
from homeport.provisioning.imports.sales_file import LINE_MAX, LineFault, read_sales
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    actor,
    counted,
    err,
    now,
    print_json,
    say,
    settings_of,
)
from homeport.server.opening import open_registry

app = typer.Typer(no_args_is_help=True)

SOME_FAILED: Final = 3
"""Exit status where good lines were taken and others were not."""


@app.callback()
def about() -> None:
    """Which devices were sold to whom."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV: see docs/operate/sales.md.")],
    all_or_none: Annotated[
        bool, typer.Option("--all-or-none/--good-lines", help="What a wrong line means.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, keep nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the lines that failed here, with reasons (CSV).")
    ] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Import sales, corrections, cancellations: before, with or after first contact."""
    settings = settings_of(config, data)
    with _opened(file) as stream, _fault_report(report) as on_fault, _progress(file) as advance:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        intake = Intake(
            source=file.name,
            digest=digest,
            actor=actor(),
            clock=SystemClock(),
            is_all_or_none=all_or_none,
            is_dry_run=dry_run,
            on_fault=on_fault,
        )

        async def work() -> SalesReport:
            # What is there now stays. Walking through it takes the garbage collector some 40 ms,
            # and all devices with it whenever it does so while the write lock is held.
            gc.freeze()
            async with open_registry(settings) as registry:
                lines = read_sales(_lines(stream, advance), source=file.name, now=now())
                return await import_sales(registry, lines, intake)

        done = asyncio.run(work())
    if dry_run and done.failed and all_or_none:
        raise SalesFaultsError(done)
    _tell(done, is_dry_run=dry_run, as_json=as_json)
    if done.failed:
        raise typer.Exit(SOME_FAILED)


def _tell(done: SalesReport, *, is_dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(_document(done))
        return
    would = " Nothing was kept: this was a dry run." if is_dry_run else ""
    say(f"{counted(done.records, 'record')}, {done.new} of them new.{would}")
    if not is_dry_run:
        say(
            f"Owners found for {counted(done.assigned, 'registered device')};"
            f" {done.moved} moved, {done.freed} free again."
        )
    if done.outdated:
        say(
            f"{counted(done.outdated, 'record')} repeat what was corrected or cancelled since, and"
            " changed nothing: if they are new orders, give them a reference."
        )
    if done.failed:
        err.print(f"[bold red]{done.failed} failed:[/]")
        for fault in done.faults[:20]:
            where = f"line {fault.line}: " if fault.line else ""
            err.print(f"  {where}{fault.reason}", markup=False)


def _document(done: SalesReport) -> dict[str, Any]:
    names = ("records", "new", "outdated", "assigned", "moved", "freed", "failed")
    faults = [{"line": f.line, "code": f.code, "reason": f.reason} for f in done.faults]
    return {name: getattr(done, name) for name in names} | {"faults": faults}


def _lines(stream: BufferedReader, advance: Callable[[int], None]) -> Iterator[str]:
    """Yield lines of bounded length; what is no UTF-8 is seen as such where it stands."""
    while line := stream.readline(4 * LINE_MAX):
        advance(len(line))
        yield line.decode("utf-8", "surrogateescape")


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BufferedReader]:
    try:
        with file.open("rb") as stream:
            yield stream
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{file}: {error.strerror}") from error


@contextlib.contextmanager
def _fault_report(path: Path | None) -> Iterator[Callable[[LineFault], None]]:
    """Give what writes each fault as it is found: a million of them need no memory."""
    if path is None:
        yield lambda _: None
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("line", "code", "reason"))
        yield lambda fault: rows.writerow((fault.line or "", fault.code, fault.reason))


@contextlib.contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    """Show how much of the file was read, on a terminal."""
    if not err.is_terminal or not file.exists():
        yield lambda _: None
        return
    columns = (TextColumn("Importing"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=file.stat().st_size)
        yield lambda count: progress.advance(task, count)
