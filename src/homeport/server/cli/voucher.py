# SPDX-License-Identifier: Apache-2.0
"""`homeport voucher import`."""

from pathlib import Path
from typing import Annotated

import typer

from homeport.errors import HomeportError
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
from homeport.server.settings import ServerSettings

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
    filed = [_file(settings, file) for file in files]
    if as_json:
        print_json([{"device": serial, "upstream": upstream} for serial, upstream in filed])
    for serial, upstream in [] if as_json else filed:
        say(f"{serial} can be sent to {upstream} now.")


def _file(settings: ServerSettings, path: Path) -> tuple[str, str]:
    content = read_file(path)
    try:
        device, upstream = transact(
            settings, lambda tx: import_voucher(tx, content, actor=actor(), now=now())
        )
    except HomeportError as error:
        raise HomeportError(error.code, f"{path}: {error.detail}") from error
    return device.id.serial_number, upstream.name
