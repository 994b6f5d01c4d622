# SPDX-License-Identifier: Apache-2.0
"""What the shell offers at the Tab key, serial numbers and tenants, and arguments that have it.

It must never disturb: if the platform cannot be asked, nothing is offered, and nothing is printed.
"""

from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

import typer

from homeport.errors import HomeportError
from homeport.server.cli.reach import the_platform

OFFERED_MAX: Final = 50
"""More than a screen of words helps nobody."""


def device_completions(context: typer.Context, incomplete: str) -> list[str]:
    """Return serial numbers that begin like this."""
    with suppress(HomeportError, OSError), the_platform(*_options(context)) as platform:
        found = islice(platform.devices.all(search=incomplete), OFFERED_MAX)
        return [device.serial_number for device in found]
    return []


def tenant_completions(context: typer.Context, incomplete: str) -> list[str]:
    """Return names of tenants that begin like this."""
    with suppress(HomeportError, OSError), the_platform(*_options(context)) as platform:
        names = [tenant.name for tenant in platform.tenants.all()]
        return [name for name in names if name.startswith(incomplete)][:OFFERED_MAX]
    return []


def _options(context: typer.Context) -> tuple[Path | None, Path | None]:
    config, data = context.params.get("config"), context.params.get("data")
    return Path(config) if config else None, Path(data) if data else None


Serial = Annotated[
    str,
    typer.Argument(
        help="Serial number, or the whole device id.", autocompletion=device_completions
    ),
]
"""One device."""

TenantOrPlatform = Annotated[
    str | None,
    typer.Option(help="Else the platform's own.", autocompletion=tenant_completions),
]
"""Whose invitations or API keys."""
