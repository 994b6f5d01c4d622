# SPDX-License-Identifier: Apache-2.0
"""`homeport model schema show|set`: what attributes devices of a model may have."""

from typing import Annotated

import typer

from homeport.domain.context.schema import ModelSchema
from homeport.errors import Code, HomeportError
from homeport.provisioning.context.change_schema import change_schema
from homeport.provisioning.ports import Transaction
from homeport.server.cli.context.given import json_object
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    actor,
    now,
    print_json,
    read,
    say,
    settings_of,
    transact,
)

app = typer.Typer(no_args_is_help=True)
schemas = typer.Typer(no_args_is_help=True)
app.add_typer(schemas, name="schema", help="What attributes its devices may have.")

Model = Annotated[str, typer.Argument(help="The maker's name of the model.")]
TenantOption = Annotated[str, typer.Option("--tenant", help="Whose schema.")]


@schemas.command()
def show(model: Model, tenant: TenantOption, config: Config = None, data: Data = None) -> None:
    """Print a tenant's schema for a model."""

    async def verb(tx: Transaction) -> ModelSchema:
        found = await tx.schemas.latest(tenant, model)
        if found is None:
            raise HomeportError(Code.NOT_FOUND, f"{tenant} has no schema for {model}")
        return found

    print_json(read(settings_of(config, data), verb).document)


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
    wanted = ModelSchema(
        tenant=tenant,
        model=model,
        version=0,
        document=json_object(document),
        added_at=now(),
        added_by=actor(),
    )
    added = transact(settings_of(config, data), lambda tx: change_schema(tx, wanted))
    if as_json:
        print_json({"tenant": tenant, "model": model, "version": added.version})
    else:
        say(f"Version {added.version} of the schema counts now.")
