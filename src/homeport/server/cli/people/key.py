# SPDX-License-Identifier: Apache-2.0
"""`homeport key add|list|revoke`: API keys of a tenant, or (without one) of the platform."""

from datetime import timedelta
from typing import Annotated

import typer

from homeport.domain.people import Permission
from homeport.server.cli.completing import TenantOrPlatform
from homeport.server.cli.once import OutputFile, keep, show
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, now, print_json, print_table, say

app = typer.Typer(no_args_is_help=True)


@app.command()
def add(
    title: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[list[Permission], typer.Option(help="What it may do; say it several times.")],
    tenant: TenantOrPlatform = None,
    days: Annotated[int | None, typer.Option(min=1, help="Until it ends; else never.")] = None,
    output: OutputFile = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a key for a program; $HOMEPORT_API_KEY or homeport login take it."""
    expires_at = now() + timedelta(days=days) if days else None
    with the_platform(config, data) as platform:
        made = platform.people.make_key(tenant, title, scope, expires_at)
    token = keep(made.token, output)
    if as_json:
        print_json({**made.key.model_dump(), "token": token})
        return
    say(f"Key {made.key.prefix}… was made for {tenant or 'the platform'}.")
    show("The key", token)


@app.command("list")
def list_(
    tenant: TenantOrPlatform = None, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """List keys, also those that have ended."""
    with the_platform(config, data) as platform:
        keys = platform.people.keys(tenant)
    if as_json:
        print_json([each.model_dump() for each in keys])
        return
    rows = [
        (
            k.id,
            k.title,
            ", ".join(k.scopes),
            k.made_by,
            f"{k.used_at:%F}" if k.used_at else "never",
            "revoked" if k.revoked_at else f"until {k.expires_at:%F}" if k.expires_at else "",
        )
        for k in keys
    ]
    print_table(("key", "for", "may", "made by", "used", "state"), rows)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="Its id: homeport key list.")],
    tenant: TenantOrPlatform = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """End a key at once."""
    with the_platform(config, data) as platform:
        platform.people.revoke_key(tenant, key)
    if as_json:
        print_json({"key": key, "revoked": True})
    else:
        say(f"Key {key} is revoked.")
