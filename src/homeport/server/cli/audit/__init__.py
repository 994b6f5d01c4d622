# SPDX-License-Identifier: Apache-2.0
"""`homeport audit list|export|verify`."""

import typer

from homeport.server.cli.audit.export import export
from homeport.server.cli.audit.list import list_
from homeport.server.cli.audit.verify import verify

app = typer.Typer(no_args_is_help=True)
app.command("list")(list_)
app.command()(export)
app.command()(verify)
