# SPDX-License-Identifier: Apache-2.0
"""`homeport sales import`."""

from pathlib import Path
from typing import Annotated

import typer

from homeport.errors import Code, HomeportError
from homeport.provisioning.imports.sales import SalesReport, import_sales
from homeport.provisioning.imports.sales_file import read_sales
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    actor,
    counted,
    now,
    print_json,
    say,
    settings_of,
    transact,
)

app = typer.Typer(no_args_is_help=True)


@app.callback()
def about() -> None:
    """Which devices were sold to whom."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV: serial_number,tenant[,upstream,authority].")],
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Import sales records: before, with or after the devices' first contact; all or none."""
    report = _import(file, config, data)
    if as_json:
        document = {"records": report.records, "new": report.new, "assigned": report.assigned}
        print_json(document)
    else:
        say(
            f"{counted(report.records, 'record')}, {report.new} of them new;"
            f" owners found for {counted(report.assigned, 'registered device')}."
        )


def _import(file: Path, config: Path | None, data: Path | None) -> SalesReport:
    settings, at = settings_of(config, data), now()
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            records = read_sales(lines, source=file.name, now=at)
            return transact(
                settings,
                lambda tx: import_sales(tx, records, source=file.name, actor=actor(), now=at),
            )
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{file}: {error.strerror}") from error
