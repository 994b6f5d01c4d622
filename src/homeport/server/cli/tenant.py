# SPDX-License-Identifier: Apache-2.0
"""`homeport tenant add|list`."""

from typing import Annotated

import typer

from homeport.domain.upstream import OURS
from homeport.provisioning.add_tenant import add_tenant
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    actor,
    now,
    print_json,
    print_table,
    read,
    say,
    settings_of,
    transact,
)

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
    tenant = transact(
        settings_of(config, data),
        lambda tx: add_tenant(tx, name, title=title, upstream=upstream, actor=actor(), now=now()),
    )
    if as_json:
        print_json({"name": tenant.name, "title": tenant.title, "upstream": upstream})
    else:
        say(f"Tenant {tenant.name} was added; its devices go to upstream {upstream}.")


@app.command("list")
def list_(config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """List the tenants."""
    tenants = read(settings_of(config, data), lambda tx: tx.tenants.all())
    if as_json:
        print_json(
            [{"name": t.name, "title": t.title, "upstream": t.default_upstream} for t in tenants]
        )
    else:
        rows = [(t.name, t.title, t.default_upstream) for t in tenants]
        print_table(("tenant", "title", "upstream"), rows)
