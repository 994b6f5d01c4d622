# SPDX-License-Identifier: Apache-2.0
"""The operator's command line: one verb a file; the library does the work."""

from collections.abc import Sequence

import click
import typer

from homeport.errors import HomeportError
from homeport.server.cli import (
    device,
    device_decide,
    manifest,
    platform,
    sales,
    serve,
    tenant,
    upstream,
    voucher,
)
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
app.add_typer(upstream.app, name="upstream", help="Where devices' messages go.")
app.add_typer(manifest.app, name="manifest", help="What factories hand over.")
app.add_typer(sales.app, name="sales", help="Which devices were sold to whom.")
app.add_typer(voucher.app, name="voucher", help="Papers for devices of other platforms.")
app.add_typer(platform.app, name="platform", help="This platform itself.")
app.add_typer(device.app, name="device", help="The devices.")
device_decide.add_to(device.app)


def main(arguments: Sequence[str]) -> int:
    """Run one command; return its exit status (0 done, 1 refused or failed, 2 misused)."""
    try:
        app(args=list(arguments), standalone_mode=False)
    except HomeportError as error:
        print_error(error, as_json="--json" in arguments)
        return 1
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.exceptions.Exit, SystemExit) as ended:
        code = getattr(ended, "exit_code", None)
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, click.Abort):
        return 130
    return 0
