# SPDX-License-Identifier: Apache-2.0
"""`homeport audit verify`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.progress import Progress

from homeport.artefacts.audit_head import HeadVerifier
from homeport.errors import MalformedError
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import load_bundle
from homeport.provisioning.audit.export import verify_export
from homeport.provisioning.audit.findings import Report
from homeport.provisioning.audit.verify import verify_trail
from homeport.provisioning.ports import Registry
from homeport.server.audit.heads_file import lines_of
from homeport.server.cli.files import read_file
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    counted,
    err,
    now,
    out,
    print_json,
    read,
    settings_of,
    with_registry,
)
from homeport.server.opening import open_keys
from homeport.server.settings import ServerSettings
from homeport.telemetry import visible

SHOWN: Final = 20
"""Findings that people are shown; programs get a thousand."""


def verify(
    heads: Annotated[
        Path | None, typer.Option(help="Heads kept elsewhere: a file, or a directory of them.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="Verify this export instead of the registry.")
    ] = None,
    anchors: Annotated[
        Path | None, typer.Option(help="The platform's trust anchors (PEM), as you keep them.")
    ] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show that the audit trail was not changed: recompute its hash chain, check signed heads.

    Ends with status 1 if anything is wrong.
    """
    settings = settings_of(config, data)
    verifier = HeadVerifier(_anchors(settings, anchors))
    elsewhere = list(lines_of(heads)) if heads else []
    if export is not None:
        with export.open("rb") as file:
            report = verify_export(file, verifier, elsewhere)
    else:
        report = _of_registry(settings, verifier, elsewhere)
    if elsewhere and not report.compared and report.unreadable:
        raise MalformedError(f"{heads}: no line of it is a head")
    if as_json:
        print_json(report.document())
    else:
        _tell(report)
    if not report.holds:
        raise typer.Exit(1)


def _anchors(settings: ServerSettings, path: Path | None) -> Anchors:
    if path is not None:
        return Anchors(Purpose.PLATFORM, load_bundle(read_file(path)))
    return Anchors(Purpose.PLATFORM, open_keys(settings, now()).platform_anchors())


def _of_registry(
    settings: ServerSettings, verifier: HeadVerifier, elsewhere: Sequence[bytes]
) -> Report:
    last = read(settings, lambda tx: tx.audit.last())

    async def work(registry: Registry) -> Report:
        with _progress(last) as progress:
            return await verify_trail(registry, verifier, elsewhere=elsewhere, progress=progress)

    return with_registry(settings, work)


@contextmanager
def _progress(last: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal."""
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("Verifying", total=last)
        yield lambda cursor: bar.update(task, completed=cursor)


def _tell(report: Report) -> None:
    for finding in report.findings[:SHOWN]:
        out.print(f"[red]{escape(visible(finding.detail))}[/]  [dim]({finding.wrong})[/]")
    if report.count > SHOWN:
        out.print(f"… and {report.count - SHOWN} more: --json")
    covered = f"{counted(report.events, 'event')} under {counted(report.heads, 'head')}"
    names = f", signed by {', '.join(sorted(report.platforms))}" if report.platforms else ""
    out.print(f"{covered}{escape(names)}; the last is event {report.last}.")
    if report.compared:
        out.print(f"{counted(report.compared, 'head')} kept elsewhere compared.")
    if report.unreadable:
        out.print(f"{counted(report.unreadable, 'line')} kept elsewhere could not be read.")
    if report.unsealed:
        since = (
            f", since {report.unsealed_since:%Y-%m-%d %H:%M:%S}" if report.unsealed_since else ""
        )
        out.print(f"{counted(report.unsealed, 'event')} after it without a head yet{since}.")
    if report.holds:
        out.print("[bold green]Nothing was changed.[/]")
    else:
        out.print(f"[bold red]{counted(report.count, 'thing')} wrong.[/] Keep the file as it is.")
