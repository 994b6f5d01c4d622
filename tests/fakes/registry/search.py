# SPDX-License-Identifier: Apache-2.0
"""Finding devices in memory."""

from fakes.registry.enrolments import latest_of
from fakes.registry.rows import Rows
from homeport.domain.context.context import Context
from homeport.domain.device import DeviceId
from homeport.provisioning.ports import NEVER_SEEN, DeviceFilter, Found, Listed


class FakeSearch:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def devices(self, wanted: DeviceFilter, *, after: str | None, limit: int) -> Found:
        rows = self._rows
        listed = [
            Listed(device, latest_of(rows, device.id), rows.presence.get(device.id))
            for device in sorted(rows.devices.values(), key=lambda device: _place(device.id))
        ]
        beyond = _place(DeviceId.parse(after)) if after else ("", "")
        fitting = [
            row
            for row in listed
            if _fits(wanted, row)
            and _is_called(wanted, row, rows.contexts.get(row.device.id))
            and _place(row.device.id) > beyond
        ]
        shown = fitting[:limit]
        return Found(shown, str(shown[-1].device.id) if len(fitting) > limit else None)


def _place(device: DeviceId) -> tuple[str, str]:
    return device.serial_number, str(device)


def _is_called(wanted: DeviceFilter, row: Listed, said: Context | None) -> bool:
    if said is None or said.tenant != row.device.tenant:
        return not wanted.name and wanted.tag is None
    is_named = said.name.casefold().startswith(wanted.name.casefold())
    return is_named and (wanted.tag is None or wanted.tag in said.tags)


def _fits(wanted: DeviceFilter, row: Listed) -> bool:
    device, state = row.device, row.run.state if row.run else NEVER_SEEN
    is_online = row.presence is not None and row.presence.online
    return (
        (wanted.tenants is None or device.tenant in wanted.tenants)
        and wanted.serial_number in (None, device.id.serial_number)
        and device.id.serial_number.startswith(wanted.text)
        and wanted.state in (None, state)
        and wanted.model in (None, device.model)
        and wanted.is_online in (None, is_online)
        and wanted.is_minted in (None, device.minted)
    )
