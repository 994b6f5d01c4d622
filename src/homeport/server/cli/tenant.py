# SPDX-License-Identifier: Apache-2.0
"""`homeport tenant add|set|list`."""

from typing import Annotated

import typer

from homeport.domain.upstream import OURS
from homeport.server.cli.completing import tenant_completions
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, print_json, print_table, say

app = typer.Typer(no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="a-z, 0-9 and -; stands in MQTT topics.")],
    title: Annotated[str, typer.Option(help="As people write it.")] = "",
    upstream: Annotated[str, typer.Option(help="Default upstream of its devices.")] = OURS,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add a tenant."""
    with the_platform(config, data, makes=True) as platform:
        tenant = platform.tenants.add(name, title=title, upstream=upstream)
    if as_json:
        print_json({"name": tenant.name, "title": tenant.title, "upstream": upstream})
    else:
        say(f"Tenant {tenant.name} was added; its devices go to upstream {upstream}.")


@app.command("set")
def set_(
    name: Annotated[str, typer.Argument(autocompletion=tenant_completions)],
    title: Annotated[str | None, typer.Option(help="As people write it.")] = None,
    upstream: Annotated[str | None, typer.Option(help="Default upstream of its devices.")] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Change a tenant's title or default upstream; devices that have an upstream keep it."""
    if title is None and upstream is None:
        raise typer.BadParameter("say what changes: --title or --upstream")
    with the_platform(config, data) as platform:
        tenant = platform.tenants.change(name, title=title, upstream=upstream)
    if as_json:
        print_json({"name": tenant.name, "title": tenant.title, "upstream": tenant.upstream})
    else:
        say(f"Tenant {name} is {tenant.title}; its devices go to upstream {tenant.upstream}.")


@app.command("list")
def list_(config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """List the tenants."""
    with the_platform(config, data) as platform:
        tenants = platform.tenants.all()
    if as_json:
        print_json([{"name": t.name, "title": t.title, "upstream": t.upstream} for t in tenants])
    else:
        print_table(
            ("tenant", "title", "upstream"), [(t.name, t.title, t.upstream) for t in tenants]
        )
