# SPDX-License-Identifier: Apache-2.0
"""`homeport factory`: one verb, one file; the library does the work."""

from collections.abc import Sequence

import typer

from homeport.errors import Code, HomeportError
from homeport.factory.cli import hand_over, init, labels, mint, show, voucher
from homeport.factory.cli.output import print_error

app = typer.Typer(
    name="homeport factory",
    help="The production line: mint identities, print labels, hand over, vouch.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("init")(init.init)
app.command("mint")(mint.mint)
app.command("hand-over")(hand_over.hand_over)
app.command("labels")(labels.labels)
app.command("voucher")(voucher.voucher)
app.command("show")(show.show)


def main(arguments: Sequence[str]) -> int:
    """Run one command; return its exit status (0 done, 1 refused or failed, 2 misused)."""
    try:
        app(args=list(arguments), prog_name="homeport factory")
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
