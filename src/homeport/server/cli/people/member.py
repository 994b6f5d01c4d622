# SPDX-License-Identifier: Apache-2.0
"""`homeport member list|role|remove`: who belongs to a tenant."""

from typing import Annotated

import typer

from homeport.domain.people import Role
from homeport.server.cli.completing import tenant_completions
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, print_json, print_table, say

app = typer.Typer(no_args_is_help=True)

Tenant = Annotated[str, typer.Argument(autocompletion=tenant_completions)]
Person = Annotated[str, typer.Argument(help="Sign-in name.")]


@app.command("list")
def list_(tenant: Tenant, config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """List a tenant's members."""
    with the_platform(config, data) as platform:
        members = platform.people.members(tenant)
    if as_json:
        print_json([each.model_dump() for each in members])
        return
    rows = [
        (m.name, m.role, f"{m.joined_at:%F}", "disabled" if m.is_disabled else "") for m in members
    ]
    print_table(("member", "role", "since", "state"), rows)


@app.command()
def role(
    tenant: Tenant,
    name: Person,
    new: Annotated[Role, typer.Argument(help="What the member is from now on.")],
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give a member another role; the last admin stays admin."""
    with the_platform(config, data) as platform:
        member = platform.people.member(tenant, name)
        changed = platform.people.set_role(tenant, member.account, new)
    if as_json:
        print_json(changed.model_dump())
    else:
        say(f"{name} is {new} of {tenant} now.")


@app.command()
def remove(
    tenant: Tenant, name: Person, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """Remove a member, with the API keys and invitations that the member made here."""
    with the_platform(config, data) as platform:
        member = platform.people.member(tenant, name)
        platform.people.remove(tenant, member.account)
    if as_json:
        print_json({"tenant": tenant, "removed": name})
    else:
        say(f"{name} no longer belongs to {tenant}.")
