# SPDX-License-Identifier: Apache-2.0
"""`homeport device context import|export`: what is known of many devices, as CSV."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from homeport.domain.context.context import Context
from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError
from homeport.files import replace_private_file
from homeport.provisioning.imports.context_file import read_contexts, write_contexts
from homeport.provisioning.imports.contexts import (
    ContextLinesError,
    ContextReport,
    Way,
    import_contexts,
)
from homeport.provisioning.imports.sales_file import LineFault
from homeport.provisioning.ports import Transaction
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    actor,
    counted,
    now,
    print_json,
    read,
    say,
    settings_of,
    with_registry,
)
from homeport.telemetry import visible

PAGE = 1000
"""Contexts read at once."""

TenantOption = Annotated[str, typer.Option("--tenant", help="Whose devices.")]


def import_(  # noqa: PLR0913 - one for each option
    file: Annotated[Path, typer.Argument(help="CSV: serial_number, name, tags, …")],
    *,
    tenant: TenantOption,
    dry_run: Annotated[bool, typer.Option(help="Only say what would happen.")] = False,
    good_lines: Annotated[bool, typer.Option(help="Take what can be taken.")] = False,
    faults: Annotated[
        Path | None, typer.Option(help="Write the wrong lines, with reasons, to this CSV file.")
    ] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Change what is known of many devices by a file: all lines or none; again is no change."""
    settings = settings_of(config, data)
    way = Way(good_lines=good_lines, dry_run=dry_run)
    try:
        with file.open(encoding="utf-8", newline="") as text:
            lines = read_contexts(text)
            report = with_registry(
                settings,
                lambda registry: import_contexts(
                    registry, tenant, lines, way, actor=actor(), now=now()
                ),
            )
    except ContextLinesError as error:
        _write(faults, error.faults)
        raise
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{file}: {error.strerror}") from error
    _write(faults, report.faults)
    _print(report, way, as_json=as_json)


def export(
    tenant: TenantOption,
    output: Annotated[Path | None, typer.Option(help="Else it is printed.")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Write what is known of a tenant's devices as CSV, which `import` reads alike."""
    contexts = read(settings_of(config, data), lambda tx: _all(tx, tenant))
    text = "".join(write_contexts(contexts))
    if output is None:
        sys.stdout.write(text)
        return
    try:
        replace_private_file(output, text.encode())
    except OSError as error:
        raise HomeportError(Code.STORAGE_UNAVAILABLE, f"{output}: {error.strerror}") from error
    say(f"{counted(len(contexts), 'device')} written to {output}.")


async def _all(tx: Transaction, tenant: str) -> Sequence[Context]:
    if await tx.tenants.get(tenant) is None:
        raise HomeportError(Code.TENANT_UNKNOWN, tenant)
    found: list[Context] = []
    after: DeviceId | None = None
    while page := await tx.contexts.page(tenant, after=after, limit=PAGE):
        found += page
        after = page[-1].device
    return found


def _print(report: ContextReport, way: Way, *, as_json: bool) -> None:
    if as_json:
        wrong = [{"line": each.line, "reason": each.reason} for each in report.faults]
        print_json({"lines": report.lines, "changed": report.changed, "faults": wrong})
        return
    would = " would change" if way.dry_run else " changed"
    say(f"{counted(report.lines, 'line')}; {counted(report.changed, 'device')}{would}.")
    for fault in report.faults[:20]:
        say(f"  line {fault.line}: {escape(visible(fault.reason))}")
    if len(report.faults) > 20:  # noqa: PLR2004 - a screen
        say(f"  and {len(report.faults) - 20} more wrong lines")


def _write(path: Path | None, faults: Sequence[LineFault]) -> None:
    if path is None:
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("line", "reason"))
        rows.writerows((fault.line, fault.reason) for fault in faults)
