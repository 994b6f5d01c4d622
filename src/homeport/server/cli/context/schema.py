# SPDX-License-Identifier: Apache-2.0
"""`homeport model schema show|set`: what attributes devices of a model may have."""

from typing import Annotated

import typer

from homeport.server.cli.context.given import json_object
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, print_json, say

app = typer.Typer(no_args_is_help=True)
schemas = typer.Typer(no_args_is_help=True)
app.add_typer(schemas, name="schema", help="What attributes its devices may have.")

Model = Annotated[str, typer.Argument(help="The maker's name of the model.")]
TenantOption = Annotated[str, typer.Option("--tenant", help="Whose schema.")]


@schemas.command()
def show(model: Model, tenant: TenantOption, config: Config = None, data: Data = None) -> None:
    """Print a tenant's schema for a model."""
    with the_platform(config, data) as platform:
        print_json(platform.contexts.schema(tenant, model).document)


@schemas.command("set")
def set_(
    model: Model,
    document: Annotated[str, typer.Argument(help="JSON Schema, or @FILE.")],
    tenant: TenantOption,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say what attributes devices of a model may have; what is stored stays as it is."""
    wanted = json_object(document)
    with the_platform(config, data) as platform:
        added = platform.contexts.put_schema(tenant, model, wanted)
    if as_json:
        print_json({"tenant": tenant, "model": model, "version": added.version})
    else:
        say(f"Version {added.version} of the schema counts now.")
