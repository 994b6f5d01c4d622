# SPDX-License-Identifier: Apache-2.0
"""Secrets that are shown once: into a file for its owner alone, or on standard output.

A file that cannot be written must not lose the secret: then it is shown after all.
"""

from pathlib import Path
from typing import Annotated

import typer

from homeport.files import create_private_file
from homeport.server.cli.session import err, say

OutputFile = Annotated[
    Path | None,
    typer.Option("--output", help="Put what is shown once into this new file, for you alone."),
]


def keep(secret: str | None, output: Path | None) -> str | None:
    """Return what is still to be shown: None if the file has it, or there is nothing."""
    if secret is None or output is None:
        return secret
    try:
        create_private_file(output, f"{secret}\n".encode())
    except OSError as error:
        err.print(f"[red]{output} could not be written: {error.strerror}[/]")
        return secret
    return None


def show(what: str, secret: str | None) -> None:
    """Say a secret that is in no file."""
    if secret is not None:
        say(f"{what}, shown this once: {secret}")
