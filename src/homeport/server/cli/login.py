# SPDX-License-Identifier: Apache-2.0
"""`homeport login|logout`: at a platform elsewhere, with an API key."""

from pathlib import Path
from typing import Annotated

import typer

from homeport.keys.secret import read_secret
from homeport.server.cli.files import read_file
from homeport.server.cli.reach import KEY_VARIABLE, Login, keep_login, login_path
from homeport.server.cli.session import Json, print_json, say


def login(
    url: Annotated[str, typer.Argument(help="The platform, https://name:8443")],
    key_file: Annotated[
        Path | None, typer.Option(help=f"File with the API key; else ${KEY_VARIABLE}, or asked.")
    ] = None,
    anchors: Annotated[
        Path | None,
        typer.Option(help="Roots of its certificate (PEM); else those of this system."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="Where it is, if its name has no address here: https://192.0.2.10:8443"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Log in at a platform elsewhere: commands without --data ask there from now on."""
    from homeport.api.client.platform import Platform
    from homeport.api.client.remote import Remote

    key = read_secret(key_file).reveal() if key_file else _asked()
    roots = read_file(anchors).decode("ascii", "replace") if anchors else None
    kept = Login(url.rstrip("/"), key, roots, address)
    with Remote(kept.url, kept.key, kept.anchors, address=kept.address) as remote:
        tenants = Platform(remote).tenants.all()
    path = keep_login(kept)
    if as_json:
        print_json({"url": kept.url, "tenants": [tenant.name for tenant in tenants]})
    else:
        say(f"Logged in at {kept.url}; the key is in {path}.")


def logout(as_json: Json = False) -> None:
    """Forget the login; the API key stays valid until it is revoked."""
    path = login_path()
    was_there = path.exists()
    path.unlink(missing_ok=True)
    if as_json:
        print_json({"forgotten": was_there})
    else:
        say("Logged out." if was_there else "Nobody was logged in.")


def _asked() -> str:
    asked: str = typer.prompt("API key", hide_input=True, err=True)
    return asked.strip()
