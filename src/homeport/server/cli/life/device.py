# SPDX-License-Identifier: Apache-2.0
"""`homeport device renew|rekey|reset|quarantine|release|replace|…`: one device's later life."""

from typing import Annotated

import typer

from homeport.domain.life.command import Order
from homeport.server.cli.completing import Serial, device_completions, tenant_completions
from homeport.server.cli.device.decide import decide
from homeport.server.cli.reach import the_platform
from homeport.server.cli.session import Config, Data, Json, print_json, print_table

Reason = Annotated[str, typer.Option(help="Why; for the timeline.")]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to `homeport device`."""
    verbs = (renew, rekey, reset, quarantine, release, replace, decommission, recommission)
    for verb in verbs:
        app.command(verb.__name__)(verb)
    app.command("undo-replacement")(undo_replacement)
    app.command("commands")(commands)


def renew(serial: Serial, config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """Ask a device for a new certificate now; one that is away hears it when it is back."""
    _command(serial, Order.RENEW, (config, data, as_json))


def rekey(serial: Serial, config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """Ask a device for a new key and certificate now."""
    _command(serial, Order.REKEY, (config, data, as_json))


def reset(
    serial: Serial,
    keep_context: Annotated[
        bool, typer.Option("--keep-context/--forget-context", help="Name, tags, settings.")
    ] = True,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Let a device forget its owner's side and enrol anew, under the same owner."""
    decide(
        serial,
        lambda platform, device: platform.life.reset(device, keeps_context=keep_context),
        f"{serial} is reset: at once if it is connected, else at its next contact.",
        (config, data, as_json),
    )


def quarantine(
    serial: Serial,
    reason: Reason,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put a device into quarantine: it stays connected, and its messages go nowhere."""
    decide(
        serial,
        lambda platform, device: platform.life.quarantine(device, reason),
        f"{serial} is in quarantine.",
        (config, data, as_json),
    )


def release(
    serial: Serial, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """Release a device from quarantine."""
    decide(
        serial,
        lambda platform, device: platform.life.release(device),
        f"{serial} is released.",
        (config, data, as_json),
    )


def replace(
    serial: Serial,
    by: Annotated[
        str, typer.Option(help="Serial number of the new one.", autocompletion=device_completions)
    ],
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Let a new device take a broken one's place: name, context, upstream; the old is revoked."""
    decide(
        serial,
        lambda platform, device: platform.life.replace(device, platform.devices.find(by).id),
        f"{by} takes the place of {serial}, which is revoked."
        f" Until it has arrived: homeport device undo-replacement {by}.",
        (config, data, as_json),
    )


def undo_replacement(
    serial: Serial, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """Put back what this new device has replaced, until it has arrived."""
    decide(
        serial,
        lambda platform, device: platform.life.undo_replacement(device),
        f"{serial} no longer takes another's place.",
        (config, data, as_json),
    )


def decommission(
    serial: Serial, config: Config = None, data: Data = None, as_json: Json = False
) -> None:
    """End a device's life: its access ends, and it is refused from now on."""
    decide(
        serial,
        lambda platform, device: platform.life.decommission(device),
        f"{serial} is decommissioned. Undo: homeport device recommission.",
        (config, data, as_json),
    )


def recommission(
    serial: Serial,
    tenant: Annotated[
        str | None,
        typer.Option(
            help="Whose it is then; else who had it last, or (operator) nobody's.",
            autocompletion=tenant_completions,
        ),
    ] = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take a decommissioned device back into use: its last owner may for thirty days."""
    decide(
        serial,
        lambda platform, device: platform.life.recommission(device, tenant),
        f"{serial} may enrol again.",
        (config, data, as_json),
    )


def commands(
    serial: Serial,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take back what waits.")] = False,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List what a device was asked to do, and what became of it."""
    with the_platform(config, data) as platform:
        device = platform.devices.find(serial)
        if withdraw:
            platform.life.withdraw_command(device.id)
        asked = platform.life.commands(device.id)
    if as_json:
        print_json([each.model_dump() for each in asked])
        return
    rows = [(c.order, f"{c.asked_at:%F %T}", c.asked_by, c.state, c.reason) for c in asked]
    print_table(("asked to", "at", "by", "state", "reason"), rows)


def _command(serial: str, order: Order, options: tuple[Config, Data, bool]) -> None:
    decide(
        serial,
        lambda platform, device: platform.life.command(device, order),
        f"{serial} is asked to {order}; homeport device commands {serial} tells what came of it.",
        options,
    )
