# SPDX-License-Identifier: Apache-2.0
"""Look at devices: lists, one, its timeline."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query

from homeport.api.server.ask import Asked, needs
from homeport.api.server.paging import Paged, Span
from homeport.api.server.resources.devices.shown import detailed, listed
from homeport.api.server.subjects import DevicePath, the_device
from homeport.api.wire.devices import Device, DeviceDetails, TimelineEvent
from homeport.api.wire.model import Name, Page
from homeport.domain.audit import AuditEvent
from homeport.domain.context.context import NAME_MAX, TAG_MAX
from homeport.domain.device import SERIAL_NUMBER_MAX, DeviceId
from homeport.domain.enrolment import State
from homeport.domain.people import Permission
from homeport.errors import MalformedError
from homeport.provisioning.ports import DeviceFilter, Transaction

router: Final = APIRouter(prefix="/devices", tags=["devices"])

MODEL_MAX: Final = 100
SerialNumber = Annotated[str, Query(max_length=SERIAL_NUMBER_MAX)]


@router.get("", **needs(Permission.DEVICES_READ))
async def list_devices(  # noqa: PLR0913 - one for each parameter of the query
    ask: Asked,
    span: Paged,
    *,
    tenant: Annotated[Name | None, Query(description="Only this tenant's.")] = None,
    state: Annotated[
        State | Literal["registered"] | None,
        Query(description='Of their enrolment; "registered": never made contact.'),
    ] = None,
    model: Annotated[str | None, Query(max_length=MODEL_MAX)] = None,
    online: Annotated[bool | None, Query(description="Connected here, or not.")] = None,
    minted: Annotated[bool | None, Query(description="In a hand-over manifest, or not.")] = None,
    name: Annotated[str, Query(max_length=NAME_MAX, description="How its name begins.")] = "",
    tag: Annotated[str | None, Query(max_length=TAG_MAX, description="Exactly this tag.")] = None,
    serial_number: Annotated[SerialNumber | None, Query(description="Exactly this one.")] = None,
    search: Annotated[SerialNumber, Query(description="How the serial number begins.")] = "",
) -> Page[Device]:
    """List the devices that one may see, by serial number within each tenant.

    A page may hold fewer than there are, even none: go on while `next` is not null.
    """
    mine = ask.tenants()
    if tenant is not None:
        ask.demand(tenant, f"tenant {tenant}")
        mine = [tenant]
    wanted = DeviceFilter(
        tenants=mine,
        serial_number=serial_number,
        text=search,
        state=state,
        model=model,
        is_online=online,
        is_minted=minted,
        name=name,
        tag=tag,
    )

    async def verb(tx: Transaction) -> Page[Device]:
        found = await tx.search.devices(wanted, after=span.after, limit=span.limit)
        items = [
            listed(row, is_held=await tx.quarantines.get(row.device.id) is not None)
            for row in found.rows
        ]
        return Page(items=items, next=found.next)

    return await ask.read(verb)


@router.get("/{device_id}", **needs(Permission.DEVICES_READ))
async def get_device(device_id: DevicePath, ask: Asked) -> DeviceDetails:
    """Show one device."""

    async def verb(tx: Transaction) -> DeviceDetails:
        return await detailed(tx, ask, await the_device(tx, ask, device_id))

    return await ask.read(verb)


@router.get("/{device_id}/timeline", **needs(Permission.DEVICES_READ))
async def get_timeline(device_id: DevicePath, ask: Asked, span: Paged) -> Page[TimelineEvent]:
    """Tell what happened to a device, oldest first; what a former owner did is theirs."""

    async def verb(tx: Transaction) -> Page[TimelineEvent]:
        device = await the_device(tx, ask, device_id)
        events, more = await _timeline(tx, device.id, span)
        mine = ask.tenants()
        visible = [each for each in events if mine is None or each.tenant in (None, *mine)]
        return Page(items=[_told(event) for event in visible], next=more)

    return await ask.read(verb)


async def _timeline(
    tx: Transaction, device: DeviceId, span: Span
) -> tuple[list[AuditEvent], str | None]:
    after = span.after or "0"
    if not (after.isascii() and after.isdigit() and len(after) <= len(str(2**62))):
        raise MalformedError("query.after: not a cursor")
    events = list(await tx.audit.of_device(device, after=int(after), limit=span.fetch))
    shown = events[: span.limit]
    return shown, str(shown[-1].cursor) if len(events) > span.limit else None


def _told(event: AuditEvent) -> TimelineEvent:
    return TimelineEvent(
        cursor=event.cursor,
        at=event.at,
        event=event.name,
        actor=event.actor,
        story=event.story(),
        facts=dict(event.facts),
    )
