# SPDX-License-Identifier: Apache-2.0
"""`homeport audit export`."""

import sys
from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from homeport.domain.audit import Wanted
from homeport.errors import Code, HomeportError
from homeport.provisioning.audit.export import export_trail, export_view
from homeport.provisioning.ports import Registry
from homeport.server.cli.audit.list import Tenant
from homeport.server.cli.session import Config, Data, counted, err, settings_of, with_registry


def export(
    tenant: Tenant = None,
    output: Annotated[
        Path | None, typer.Option(help="New file to write; else standard output.")
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Write everything that happened as lines of JSON, with the signed heads of the hash chain.

    For one tenant: its own events, without heads.
    """

    async def work(registry: Registry) -> int:
        lines: AsyncIterator[str] = export_trail(registry)
        if tenant is not None:
            if await registry.read(lambda tx: tx.tenants.get(tenant)) is None:
                raise HomeportError(Code.TENANT_UNKNOWN, tenant)
            lines = export_view(registry, Wanted(tenants=frozenset({tenant})))
        count = 0
        place = output.open("x", encoding="utf-8") if output else nullcontext(sys.stdout)
        with place as file:
            async for line in lines:
                file.write(line)
                count += 1
        return count

    try:
        count = with_registry(settings_of(config, data), work)
    except FileExistsError:
        raise HomeportError(Code.ALREADY_EXISTS, str(output)) from None
    if output:
        err.print(f"{counted(count, 'line')} written to {output}.")
