# SPDX-License-Identifier: Apache-2.0
"""`homeport device claim|claims|withdraw-claim|claim-code|ownership`: whose it is, and why."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError
from homeport.server.cli.completing import Serial, tenant_completions
from homeport.server.cli.files import read_code
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, out, print_json, print_table, say
from homeport.telemetry import visible

if TYPE_CHECKING:
    from homeport.api.wire.ownership import Claim


def add_to(app: typer.Typer) -> None:
    """Add these verbs to `homeport device`."""
    for verb in (claim, claims, ownership):
        app.command(verb.__name__)(verb)
    app.command("withdraw-claim")(withdraw)
    app.command("claim-code")(code)


def claim(
    serial: Annotated[str, typer.Argument(help="Serial number, or the whole device id.")],
    tenant: Annotated[str, typer.Option(help="For whom.", autocompletion=tenant_completions)],
    code_file: Annotated[
        Path, typer.Option(help="File with the label's claim code; - reads it from the input.")
    ] = Path("-"),
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Claim a device by its code: provisional until the device confirms it by itself."""
    code_text = read_code(code_file)
    with the_platform(config, data) as platform:
        made = platform.claims.claim(serial, code_text, tenant)
    _tell(made, f"{serial} is claimed for {tenant}; it confirms by its next enrolment.", as_json)


def claims(
    tenant: Annotated[
        str | None, typer.Option(help="Only this tenant's.", autocompletion=tenant_completions)
    ] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the claims that wait for their device."""
    with the_platform(config, data) as platform:
        found = [each for each in platform.claims.pending() if tenant in (None, each.tenant)]
    if as_json:
        print_json([each.model_dump() for each in found])
        return
    rows = [(each.device, each.tenant, each.actor, _clock(each.claimed_at)) for each in found]
    print_table(("device", "tenant", "by", "since"), rows)


def withdraw(
    serial: Serial, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """Withdraw the pending claim of a device; its code is as good as before."""
    with the_platform(config, data) as platform:
        waiting = [each for each in platform.claims.pending() if _is_of(each, serial)]
        if len(waiting) != 1:
            found = "none" if not waiting else ", ".join(each.device for each in waiting)
            raise HomeportError(Code.NOT_FOUND, f"pending claims of {serial}: {found}")
        ended = platform.claims.withdraw(waiting[0].id)
    _tell(ended, f"The claim of {ended.tenant} to {serial} is withdrawn.", as_json)


def code(serial: Serial, config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """Make a fresh claim code, for the next owner; it is shown once."""
    with the_platform(config, data) as platform:
        made = platform.claims.make_code(platform.devices.find(serial).id).code
    if as_json:
        print_json({"code": made})
    else:
        say(f"{made}\nShown once: write it down. Every earlier code of {serial} is worthless now.")


def ownership(
    serial: Serial, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """Tell whose a device is, and its ledger: who, when, by what proof."""
    with the_platform(config, data) as platform:
        told = platform.claims.ledger(platform.devices.find(serial).id)
    if as_json:
        print_json(told.model_dump())
        return
    out.print(f"{escape(visible(serial))} is {told.ownership}; epoch {told.epoch}")
    for entry in told.entries:
        proof = f" ({entry.proof})" if entry.proof else ""
        out.print(f"[dim]{_clock(entry.at)}[/]  {escape(visible(entry.story))}{proof}")


def _is_of(made: "Claim", text: str) -> bool:
    return text in (made.device, DeviceId.parse(made.device).serial_number)


def _tell(made: "Claim", sentence: str, as_json: bool) -> None:
    if as_json:
        print_json(made.model_dump())
    else:
        say(sentence)


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
