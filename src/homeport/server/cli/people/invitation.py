# SPDX-License-Identifier: Apache-2.0
"""`homeport invitation add|list|revoke`: into a tenant, or without one to be an operator."""

from typing import Annotated

import typer

from homeport.domain.people import Role
from homeport.server.cli.completing import TenantOrPlatform
from homeport.server.cli.once import OutputFile, keep, show
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, print_json, print_table, say

app = typer.Typer(no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Sign-in name: an e-mail address or plain.")],
    tenant: TenantOrPlatform = None,
    role: Annotated[Role | None, typer.Option(help="In the tenant; needed there.")] = None,
    output: OutputFile = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Invite somebody; hand the code over yourself: the platform sends no mail."""
    if (tenant is None) != (role is None):
        raise typer.BadParameter("--tenant and --role go together")
    with the_platform(config, data) as platform:
        made = platform.people.invite(tenant, name, role)
    code = keep(made.code, output)
    if as_json:
        print_json({**made.invitation.model_dump(), "code": code})
        return
    say(f"{name} is invited {f'to {tenant} as {role}' if tenant else 'to operate the platform'}.")
    show("The code", code)


@app.command("list")
def list_(
    tenant: TenantOrPlatform = None, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """List invitations, also those that have ended."""
    with the_platform(config, data) as platform:
        invitations = platform.people.invitations(tenant)
    if as_json:
        print_json([each.model_dump() for each in invitations])
        return
    rows = [
        (i.id, i.name, i.role or i.purpose, i.invited_by, i.settled or f"until {i.expires_at:%F}")
        for i in invitations
    ]
    print_table(("invitation", "name", "as", "by", "state"), rows)


@app.command()
def revoke(
    invitation: Annotated[str, typer.Argument(help="Its id: homeport invitation list.")],
    tenant: TenantOrPlatform = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Revoke an invitation that waits."""
    with the_platform(config, data) as platform:
        platform.people.revoke_invitation(tenant, invitation)
    if as_json:
        print_json({"invitation": invitation, "revoked": True})
    else:
        say(f"Invitation {invitation} is revoked.")
