# SPDX-License-Identifier: Apache-2.0
"""`homeport platform show|anchors`: what factories and devices need to know of this platform."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from homeport.pki.certificates import fingerprint
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    now,
    print_json,
    print_table,
    say,
    settings_of,
)
from homeport.server.opening import open_keys

app = typer.Typer(no_args_is_help=True)


@app.command()
def show(config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """Show name, address, trust anchors and certificates; makes them at the first run."""
    settings = settings_of(config, data)
    keys = open_keys(settings, now())
    document = {
        "name": settings.name,
        "url": settings.url,
        "data": str(settings.data),
        "anchors": [fingerprint(anchor) for anchor in keys.platform_anchors()],
        "expiries": {name: end.isoformat() for name, end in keys.expiries().items()},
    }
    if as_json:
        print_json(document)
        return
    say(f"{settings.name}  {settings.url}  (data in {settings.data})")
    print_table(("SHA-256 of the platform's trust anchors",), [(a,) for a in document["anchors"]])
    rows = [(name, f"{end:%Y-%m-%d %H:%M}") for name, end in keys.expiries().items()]
    print_table(("certificate", "valid until"), rows)


@app.command()
def anchors(
    output: Annotated[
        Path | None, typer.Option(help="File to write; else standard output.")
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Write the trust anchors that devices need to believe this platform (platform.pem)."""
    pem = open_keys(settings_of(config, data), now()).platform_anchors_pem()
    if output is None:
        sys.stdout.write(pem.decode())
    else:
        output.write_bytes(pem)
        say(f"Give {output} to the factory: homeport factory init --platform-anchors {output}")
