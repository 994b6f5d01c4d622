# SPDX-License-Identifier: Apache-2.0
"""`homeport serve`: run the platform until it is told to end."""

import asyncio
import signal
from typing import Annotated

import typer

from homeport.server.cli.session import Config, Data
from homeport.server.settings import ServerSettings, load_settings


def serve(
    config: Config = None,
    data: Data = None,
    name: Annotated[
        str | None, typer.Option(help="Host name by which devices know the platform.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Of the device's door (HTTPS).")] = None,
    mqtt_port: Annotated[int | None, typer.Option(help="Of the message broker.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check the settings.")] = False,
) -> None:
    """Run the platform: enrolment, CA, registry and message broker, until Ctrl-C."""
    overrides: dict[str, object] = {
        "data": str(data.absolute()) if data else None,
        "name": name,
        "listen.port": port,
        "listen.mqtt_port": mqtt_port,
    }
    settings = load_settings(config, overrides)
    if check:
        typer.echo(f"The settings are good. The platform's URL would be {settings.url}.")
        return
    # The other commands need neither a web server nor a broker: they start in half the time.
    import uvloop

    from homeport.server.logging import set_up_logging

    set_up_logging(settings.log.level, settings.log.format)
    uvloop.run(_serve(settings))


async def _serve(settings: ServerSettings) -> None:
    from homeport.server.run import run

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await run(settings, stop)
