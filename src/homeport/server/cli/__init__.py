# SPDX-License-Identifier: Apache-2.0
"""The operator's command line: one verb a file; the library does the work."""

from collections.abc import Sequence
from typing import Annotated

import typer

from homeport.errors import Code, HomeportError
from homeport.server.cli import (
    audit,
    ca,
    login,
    platform,
    serve,
    tenant,
    upstream,
)
from homeport.server.cli.context import context, schema, twin
from homeport.server.cli.device import claim, decide, look, send
from homeport.server.cli.imports import manifest, sales, voucher
from homeport.server.cli.life import bulk, transfer
from homeport.server.cli.life import device as device_life
from homeport.server.cli.people import account, invitation, key, member
from homeport.server.cli.reach import KEY_VARIABLE, PLATFORM_VARIABLE, named_platform
from homeport.server.cli.session import print_error

app = typer.Typer(
    name="homeport",
    help="Brings every device home: the platform and its operator's verbs."
    " Also: homeport factory, homeport agent, homeport demo.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def about(
    platform: Annotated[
        str | None,
        typer.Option(
            envvar=PLATFORM_VARIABLE, help=f"A platform elsewhere; its API key: ${KEY_VARIABLE}."
        ),
    ] = None,
) -> None:
    """Brings every device home: the platform and its operator's verbs."""
    named_platform.set(platform)


app.command("serve")(serve.serve)
app.command("login")(login.login)
app.command("logout")(login.logout)
app.add_typer(tenant.app, name="tenant", help="Who owns devices.")
app.add_typer(account.app, name="account", help="Who signs in.")
app.add_typer(member.app, name="member", help="Who belongs to a tenant.")
app.add_typer(invitation.app, name="invitation", help="Whom one wants to join.")
app.add_typer(key.app, name="key", help="API keys, for programs.")
app.add_typer(upstream.app, name="upstream", help="Where devices' messages go.")
app.add_typer(manifest.app, name="manifest", help="What factories hand over.")
app.add_typer(sales.app, name="sales", help="Which devices were sold to whom.")
app.add_typer(voucher.app, name="voucher", help="Papers for devices of other platforms.")
app.add_typer(platform.app, name="platform", help="This platform itself.")
app.add_typer(ca.app, name="ca", help="The platform's CA under an offline root.")
app.add_typer(
    audit.app, name="audit", help="Everything that happened, and that it was not changed."
)
app.add_typer(look.app, name="device", help="The devices.")
decide.add_to(look.app)
claim.add_to(look.app)
device_life.add_to(look.app)
look.app.command("send")(send.send)
app.add_typer(transfer.app, name="transfer", help="Devices that go to another tenant.")
app.command("bulk")(bulk.bulk)
look.app.add_typer(context.app, name="context")
look.app.add_typer(twin.app, name="twin")
app.add_typer(schema.app, name="model", help="Kinds of devices.")


def main(arguments: Sequence[str]) -> int:
    """Run one command; return its exit status (0 done, 1 refused or failed, 2 misused)."""
    try:
        app(args=list(arguments), prog_name="homeport")
    except HomeportError as error:
        print_error(error, as_json="--json" in arguments)
        return 1
    except OSError as error:
        found = HomeportError(Code.STORAGE_UNAVAILABLE, f"{error.filename}: {error.strerror}")
        print_error(found, as_json="--json" in arguments)
        return 1
    except SystemExit as ended:
        # How typer ends a command, also a misused one, after it has said why.
        return ended.code if isinstance(ended.code, int) else 0
    return 0
