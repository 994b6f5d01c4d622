# SPDX-License-Identifier: Apache-2.0
"""`homeport voucher import`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from homeport.errors import HomeportError
from homeport.server.cli.files import read_file
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, print_json, say

if TYPE_CHECKING:
    from homeport.api.client.platform import Platform

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
    with the_platform(config, data, makes=True) as platform:
        filed = [_file(platform, file) for file in files]
    if as_json:
        print_json([{"device": serial, "upstream": upstream} for serial, upstream in filed])
    for serial, upstream in [] if as_json else filed:
        say(f"{serial} can be sent to {upstream} now.")


def _file(platform: "Platform", path: Path) -> tuple[str, str]:
    content = read_file(path)
    try:
        filed = platform.factories.file_voucher(content)
    except HomeportError as error:
        raise HomeportError(error.code, f"{path}: {error.detail}") from error
    return filed.serial_number, filed.upstream
