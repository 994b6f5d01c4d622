# SPDX-License-Identifier: Apache-2.0
"""`homeport factory hand-over`."""

from pathlib import Path
from typing import Annotated

import typer

from homeport.factory import hand_over as library
from homeport.factory.cli.output import (
    Directory,
    Json,
    Since,
    counted,
    instant,
    now,
    print_json,
    progress,
    say,
)
from homeport.factory.factory import Factory
from homeport.factory.settings import IDEVID_ANCHOR_FILE


def hand_over(
    directory: Directory,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; must not exist.")],
    since: Since = None,
    as_json: Json = False,
) -> None:
    """Write the signed manifest of minted devices, for the platform's operator."""
    factory = Factory(directory)
    with progress("Handing over", None, quiet=as_json) as report:
        count = library.hand_over(factory, output, now(), instant(since), report)
    if as_json:
        print_json({"manifest": str(output), "devices": count, "authority": factory.authority})
        return
    who = f"{factory.settings.name} ({factory.authority})"
    say(f"{counted(count, 'device')} in {output}, signed by {who}.")
    anchor = factory.directory / IDEVID_ANCHOR_FILE
    say(f"Next, at the platform:  homeport manifest import {output} --anchor {anchor.name}")
