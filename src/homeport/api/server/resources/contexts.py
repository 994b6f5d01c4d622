# SPDX-License-Identifier: Apache-2.0
"""Below `/tenants/{name}`: schemas of models, and the contexts of many devices at once."""

import io
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query, Request

from homeport.api.server.ask import Asked, Changed, needs
from homeport.api.server.paging import Paged, page_of
from homeport.api.server.resources.devices.context import shown
from homeport.api.server.uploads import takes_file, uploaded
from homeport.api.wire.context import Context, ImportReport, LineFault, Schema
from homeport.api.wire.model import Name, Page
from homeport.domain.context.context import NAME_MAX, TAG_MAX
from homeport.domain.context.schema import MODEL_MAX, ModelSchema, check_model
from homeport.domain.device import DeviceId
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.context.change_schema import change_schema
from homeport.provisioning.context.view import ContextView, view_context
from homeport.provisioning.imports.context_file import lines_of, read_contexts
from homeport.provisioning.imports.contexts import Way, import_contexts
from homeport.provisioning.ports import Transaction

FILE_MAX: Final = 16 * 1024 * 1024
"""Bytes of a file of contexts: some hundred thousand devices with a name and a few tags."""

router: Final = APIRouter(prefix="/tenants/{tenant_name}", tags=["contexts"])

TenantName = Annotated[Name, Path(description="Name of the tenant.")]
ModelName = Annotated[str, Path(min_length=1, max_length=MODEL_MAX, description="Of devices.")]


@router.get("/models/{model}/schema", **needs(Permission.TENANT_READ))
async def get_schema(tenant_name: TenantName, model: ModelName, ask: Asked) -> Schema:
    """Show what attributes devices of a model may have."""
    ask.demand(tenant_name, f"tenant {tenant_name}")
    found = await ask.read(lambda tx: tx.schemas.latest(tenant_name, check_model(model)))
    if found is None:
        raise HomeportError(Code.NOT_FOUND, f"no schema of {model}")
    ask.tag(found.version)
    return Schema.of(found)


@router.put("/models/{model}/schema", **needs(Permission.TENANT_WRITE, 412))
async def put_schema(
    tenant_name: TenantName,
    model: ModelName,
    document: Annotated[dict[str, Any], Body(description="A part of JSON Schema 2020-12.")],
    ask: Changed,
) -> Schema:
    """Say what attributes devices of a model may have: a new version."""

    async def verb(tx: Transaction) -> Schema:
        ask.demand(tenant_name, f"tenant {tenant_name}")
        if await tx.tenants.get(tenant_name) is None:
            raise HomeportError(Code.NOT_FOUND, f"tenant {tenant_name}")
        latest = await tx.schemas.latest(tenant_name, check_model(model))
        ask.demand_match(latest.version if latest else 0, what=f"schema of {model}")
        wanted = ModelSchema(
            tenant=tenant_name,
            model=model,
            version=0,
            document=document,
            added_at=ask.now,
            added_by=ask.actor,
        )
        added = await change_schema(tx, wanted)
        ask.tag(added.version)
        return Schema.of(added)

    return await ask.transact(verb)


@router.get("/contexts", **needs(Permission.DEVICES_READ))
async def list_contexts(
    tenant_name: TenantName,
    ask: Asked,
    span: Paged,
    *,
    tag: Annotated[str | None, Query(max_length=TAG_MAX, description="Only with this one.")] = None,
    name: Annotated[
        str, Query(max_length=NAME_MAX, description="How it begins, capitals or not.")
    ] = "",
) -> Page[Context]:
    """List what is known of a tenant's devices: by id, or by name if that is given."""
    ask.demand(tenant_name, f"tenant {tenant_name}")
    if tag is not None and name:
        raise MalformedError("query: either tag or name")
    after = DeviceId.parse(span.after) if span.after else None

    async def verb(tx: Transaction) -> Sequence[ContextView]:
        views = []
        if tag is not None:
            found = await tx.contexts.tagged(tenant_name, tag, after=after, limit=span.fetch)
        elif name:
            found = await tx.contexts.named(tenant_name, name, after=after, limit=span.fetch)
        else:
            found = await tx.contexts.page(tenant_name, after=after, limit=span.fetch)
        for context in found:
            device = await tx.devices.get(context.device)
            if device is not None and device.tenant == tenant_name:
                views.append(await view_context(tx, device))
        return views

    rows = await ask.read(verb)
    return page_of(rows, span, shown, lambda row: str(row.context.device))


@router.post(
    "/contexts/import",
    **needs(
        Permission.DEVICES_CONTEXT,
        409,
        **takes_file("text/csv", "serial_number, name, tags, location, attributes.NAME, …"),
    ),
)
async def import_a_file_of_contexts(
    tenant_name: TenantName,
    ask: Asked,
    request: Request,
    *,
    dry_run: Annotated[bool, Query(description="Only say what would happen.")] = False,
    good_lines: Annotated[bool, Query(description="Take what can be taken.")] = False,
) -> ImportReport:
    """Change the contexts of many devices by a CSV file: all lines or none; again is no change."""
    ask.demand(tenant_name, f"tenant {tenant_name}")
    way = Way(good_lines=good_lines, dry_run=dry_run)
    async with uploaded(ask, request, FILE_MAX) as file:
        with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
            lines = read_contexts(lines_of(text))
            report = await import_contexts(
                ask.registry(), tenant_name, lines, way, actor=ask.actor, now=ask.now
            )
    return ImportReport(
        lines=report.lines,
        changed=report.changed,
        wrong=report.wrong,
        faults=[LineFault(line=each.line, reason=each.reason) for each in report.faults],
    )
