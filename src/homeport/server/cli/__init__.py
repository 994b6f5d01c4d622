# SPDX-License-Identifier: Apache-2.0
"""The operator's command line: one verb a file; the library does the work."""

from collections.abc import Sequence

import typer

from homeport.errors import Code, HomeportError
from homeport.server.cli import (
    audit,
    ca,
    device,
    device_decide,
    device_send,
    manifest,
    platform,
    sales,
    serve,
    tenant,
    upstream,
    voucher,
)
from homeport.server.cli.context import context, schema, twin
from homeport.server.cli.people import account
from homeport.server.cli.session import print_error

app = typer.Typer(
    name="homeport",
    help="Brings every device home: the platform and its operator's verbs."
    " Also: homeport factory, homeport agent, homeport demo.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.add_typer(tenant.app, name="tenant", help="Who owns devices.")
app.add_typer(account.app, name="account", help="Who signs in.")
app.add_typer(upstream.app, name="upstream", help="Where devices' messages go.")
app.add_typer(manifest.app, name="manifest", help="What factories hand over.")
app.add_typer(sales.app, name="sales", help="Which devices were sold to whom.")
app.add_typer(voucher.app, name="voucher", help="Papers for devices of other platforms.")
app.add_typer(platform.app, name="platform", help="This platform itself.")
app.add_typer(ca.app, name="ca", help="The platform's CA under an offline root.")
app.add_typer(
    audit.app, name="audit", help="Everything that happened, and that it was not changed."
)
app.add_typer(device.app, name="device", help="The devices.")
device_decide.add_to(device.app)
device.app.command("send")(device_send.send)
device.app.add_typer(context.app, name="context")
device.app.add_typer(twin.app, name="twin")
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
