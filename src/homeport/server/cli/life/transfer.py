# SPDX-License-Identifier: Apache-2.0
"""`homeport transfer offer|list|accept|decline|withdraw`: a device goes to another tenant."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from homeport.domain.life.offer import LIFETIME
from homeport.server.cli.completing import Serial, tenant_completions
from homeport.server.cli.files import read_code
from homeport.server.cli.once import OutputFile, keep, show
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, print_json, print_table, say

if TYPE_CHECKING:
    from homeport.api.wire.life import Offer, TakenOver

app = typer.Typer(no_args_is_help=True)

Tenant = Annotated[str, typer.Option(help="Whose it will be.", autocompletion=tenant_completions)]
OfferId = Annotated[str, typer.Argument(help="Of the offer: homeport transfer list.")]


@app.command()
def offer(
    serial: Serial,
    tenant: Annotated[
        str | None,
        typer.Option(help="To whom; else whoever has the code.", autocompletion=tenant_completions),
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="How long the offer stands.")] = LIFETIME.days,
    output: OutputFile = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Offer a device; nothing changes until it is accepted."""
    with the_platform(config, data) as platform:
        device = platform.devices.find(serial)
        made = platform.life.offer(device.id, tenant, days)
    code = keep(made.code, output)
    if as_json:
        print_json({**made.offer.model_dump(), "code": code})
        return
    say(f"{serial} is offered to {tenant or 'whoever has the code'} as {made.offer.id}.")
    show("The code", code)


@app.command("list")
def list_(config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """List the offers from and to one's tenants, newest first."""
    with the_platform(config, data) as platform:
        offers = platform.transfers.all()
    if as_json:
        print_json([each.model_dump() for each in offers])
        return
    rows = [
        (o.id, o.device, o.seller, o.buyer or "who has the code", o.state, f"{o.expires_at:%F}")
        for o in offers
    ]
    print_table(("offer", "device", "from", "to", "state", "until"), rows)


@app.command()
def accept(
    tenant: Tenant,
    offer_id: Annotated[str | None, typer.Argument(help="Of the offer, or else a code.")] = None,
    code_file: Annotated[
        Path | None, typer.Option(help="File with the code that the offer came with; - is stdin.")
    ] = None,
    upstream: Annotated[str | None, typer.Option(help="Else the tenant's default.")] = None,
    output: OutputFile = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Accept an offer: the device comes over by itself, with a new key."""
    if (offer_id is None) == (code_file is None):
        raise typer.BadParameter("give the offer's id, or --code-file: one of the two")
    with the_platform(config, data) as platform:
        taken = (
            platform.transfers.accept(offer_id, tenant, upstream)
            if offer_id
            else platform.transfers.accept_code(read_code(code_file or Path("-")), tenant, upstream)
        )
    _tell(taken, output, as_json=as_json)


@app.command()
def decline(
    offer_id: OfferId, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """Decline an offer, as the tenant that it names."""
    with the_platform(config, data) as platform:
        ended = platform.transfers.decline(offer_id)
    _say_ended(ended, as_json=as_json)


@app.command()
def withdraw(
    offer_id: OfferId, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """Withdraw an offer, as the tenant that made it."""
    with the_platform(config, data) as platform:
        ended = platform.transfers.withdraw(offer_id)
    _say_ended(ended, as_json=as_json)


def _tell(taken: "TakenOver", output: Path | None, *, as_json: bool) -> None:
    code = keep(taken.claim_code, output)
    if as_json:
        print_json({**taken.model_dump(), "claim_code": code})
        return
    say(f"{taken.device} belongs to {taken.tenant} now; it comes over by itself.")
    show("Its new claim code, for its next owner", code)


def _say_ended(ended: "Offer", *, as_json: bool) -> None:
    if as_json:
        print_json(ended.model_dump())
    else:
        say(f"The offer of {ended.device} is {ended.state}.")
