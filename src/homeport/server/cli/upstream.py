# SPDX-License-Identifier: Apache-2.0
"""`homeport upstream add|list|watch`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from homeport.pki.certificates import load_bundle, pem_of
from homeport.server.cli.files import read_file
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import (
    Config,
    Data,
    Json,
    err,
    print_json,
    print_table,
    say,
    settings_of,
)

if TYPE_CHECKING:
    from homeport.api.wire.places import Upstream

app = typer.Typer(no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="a-z, 0-9 and -.")],
    url: Annotated[str, typer.Option(help="Base URL of the other platform, https://…")],
    domain_cert: Annotated[Path, typer.Option(help="Its domain CA certificate (PEM).")],
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add another platform: its devices are sent there, each with a voucher."""
    certificate = pem_of(load_bundle(read_file(domain_cert))[0]).decode()
    with the_platform(config, data, makes=True) as platform:
        upstream = platform.upstreams.add(name, url=url, domain_certificate=certificate)
    if as_json:
        print_json(_document(upstream))
    else:
        say(f"Upstream {name} was added. Devices need vouchers for it: homeport voucher import.")


@app.command("list")
def list_(config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """List the upstreams."""
    with the_platform(config, data) as platform:
        upstreams = platform.upstreams.all()
    if as_json:
        print_json([_document(upstream) for upstream in upstreams])
    else:
        rows = [(u.name, u.kind, u.url or "this platform's broker") for u in upstreams]
        print_table(("upstream", "kind", "address"), rows)


@app.command()
def watch(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    count: Annotated[int, typer.Option(help="End after so many messages; 0: never.")] = 0,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show devices' messages as they arrive at this platform's broker, until Ctrl-C."""
    from homeport.server.cli.watching import watch_messages  # NATS: only where it is needed

    settings = settings_of(config, data)
    if not as_json and err.is_terminal:
        err.print("[dim]Messages are shown from now on; Ctrl-C ends.[/]")
    asyncio.run(watch_messages(settings, tenant=tenant, count=count, as_json=as_json))


def _document(upstream: "Upstream") -> dict[str, str | None]:
    return {"name": upstream.name, "kind": str(upstream.kind), "url": upstream.url}
