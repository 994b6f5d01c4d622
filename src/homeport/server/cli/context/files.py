# SPDX-License-Identifier: Apache-2.0
"""`homeport device context import|export`: what is known of many devices, as CSV."""

import csv
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.markup import escape

from homeport.domain.context.context import Context as KnownContext
from homeport.domain.context.context import read_context
from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError
from homeport.files import replace_private_file
from homeport.provisioning.imports.context_file import write_contexts
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, counted, now, print_json, say
from homeport.telemetry import visible

if TYPE_CHECKING:
    from homeport.api.wire.context import Context, ImportReport, LineFault

SCREEN: Final = 20
"""Wrong lines that are printed; --faults has them all, up to a thousand."""

TenantOption = Annotated[str, typer.Option("--tenant", help="Whose devices.")]


def import_(
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
    try:
        content = file.read_bytes()
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{file}: {error.strerror}") from error
    with the_platform(config, data) as platform:
        take = partial(platform.contexts.import_file, tenant, content, good_lines=good_lines)
        try:
            report = take(dry_run=dry_run)
        except HomeportError as error:
            if error.code is Code.CONTEXT_LINES_WRONG and faults is not None:
                _write(faults, take(dry_run=True).faults)
            raise
    _write(faults, report.faults)
    _print(report, dry_run=dry_run, as_json=as_json)


def export(
    tenant: TenantOption,
    output: Annotated[Path | None, typer.Option(help="Else it is printed.")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Write what is known of a tenant's devices as CSV, which `import` reads alike."""
    with the_platform(config, data) as platform:
        contexts = [_known(each, tenant) for each in platform.contexts.all(tenant)]
    text = "".join(write_contexts(contexts))
    if output is None:
        sys.stdout.write(text)
        return
    try:
        replace_private_file(output, text.encode())
    except OSError as error:
        raise HomeportError(Code.STORAGE_UNAVAILABLE, f"{output}: {error.strerror}") from error
    say(f"{counted(len(contexts), 'device')} written to {output}.")


def _known(shown: "Context", tenant: str) -> KnownContext:
    """Read what was shown as what it is."""
    document = shown.model_dump(include={"name", "tags", "attributes"})
    document["location"] = shown.location.model_dump(exclude_none=True)
    return read_context(
        document,
        device=DeviceId.parse(shown.device),
        tenant=tenant,
        version=shown.version,
        changed_at=now(),
    )


def _print(report: "ImportReport", *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    would = " would change" if dry_run else " changed"
    say(f"{counted(report.lines, 'line')}; {counted(report.changed, 'device')}{would}.")
    for fault in report.faults[:SCREEN]:
        say(f"  line {fault.line}: {escape(visible(fault.reason))}")
    if report.wrong > SCREEN:
        say(f"  and {report.wrong - SCREEN} more wrong lines")


def _write(path: Path | None, faults: Sequence["LineFault"]) -> None:
    if path is None:
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("line", "reason"))
        rows.writerows((fault.line, fault.reason) for fault in faults)
