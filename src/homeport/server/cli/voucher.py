# SPDX-License-Identifier: Apache-2.0
"""`homeport voucher import`."""

from pathlib import Path
from typing import Annotated

import typer

from homeport.provisioning.imports.voucher import import_voucher
from homeport.server.cli.files import read_file
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    actor,
    now,
    print_json,
    say,
    settings_of,
    transact,
)

app = typer.Typer(no_args_is_help=True)


@app.callback()
def about() -> None:
    """Papers for devices that belong to other platforms."""


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Vouchers, as the manufacturer issued them.")],
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """File vouchers; a device that waits for one goes on at once."""
    settings = settings_of(config, data)
    filed = []
    for file in files:
        content = read_file(file)
        device, upstream = transact(
            settings, lambda tx, paper=content: import_voucher(tx, paper, actor=actor(), now=now())
        )
        filed.append({"device": str(device.id), "upstream": upstream.name})
        if not as_json:
            say(f"{device.id.serial_number} can be sent to {upstream.name} now.")
    if as_json:
        print_json(filed)
