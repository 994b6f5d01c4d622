# SPDX-License-Identifier: Apache-2.0
"""Devices in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fakes.registry.rows import Rows, keepable
from fakes.registry.sales import speaks_of
from homeport.domain.claim import ClaimCode
from homeport.domain.device import Device, DeviceId
from homeport.domain.ownership import Ownership, SalesRecord, Scope
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import MintedDevice, Staged


class FakeDevices:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def _sorted(self) -> list[Device]:
        return sorted(self._rows.devices.values(), key=lambda device: str(device.id))

    async def get(self, device: DeviceId) -> Device | None:
        return self._rows.devices.get(device)

    async def find(self, text: str) -> Sequence[Device]:
        found = [d for d in self._sorted() if text in (str(d.id), d.id.serial_number)]
        return found[:10]

    async def registered(self, serial_numbers: Collection[str]) -> set[str]:
        known = {device.serial_number for device in self._rows.devices}
        return known.intersection(serial_numbers)

    async def put(self, device: Device) -> None:
        if device.tenant is not None and device.tenant not in self._rows.tenants:
            raise HomeportError(Code.TENANT_UNKNOWN, device.tenant)
        known = self._rows.devices.get(device.id)
        if known:
            device = replace(
                known,
                model=device.model,
                idevid_fingerprint=device.idevid_fingerprint,
                tenant=device.tenant,
                upstream=device.upstream,
                epoch=device.epoch,
                ownership=device.ownership,
                proof=device.proof,
            )
        self._rows.devices[device.id] = keepable(device)

    async def add_minted(self, staged: Staged[MintedDevice], now: datetime) -> int:
        if not isinstance(staged, StagedRows):
            raise TypeError("these rows were laid ready by another registry")
        new = 0
        for device in staged.devices:
            known = self._rows.devices.get(device.id)
            if known is None:
                self._rows.devices[device.id] = replace(device, registered_at=now)
                self._learn_code(device.id, staged)
                new += 1
            elif known.idevid_fingerprint not in (None, device.idevid_fingerprint):
                raise HomeportError(Code.DEVICE_CONFLICT, f"{device.id} is known differently")
            elif not known.minted:
                self._rows.devices[device.id] = replace(
                    known,
                    minted=True,
                    model=device.model,
                    hardware_identity=device.hardware_identity,
                    idevid_fingerprint=device.idevid_fingerprint,
                )
                self._learn_code(device.id, staged)
        return new

    def _learn_code(self, device: DeviceId, staged: "StagedRows") -> None:
        if device in staged.codes:
            self._rows.claim_codes[device] = staged.codes[device]

    async def unowned(
        self, scope: Scope, authority: str | None, limit: int, *, after: DeviceId | None = None
    ) -> Sequence[Device]:
        found = self._in_scope(scope, authority, after)
        gone = Ownership.DECOMMISSIONED
        return [d for d in found if d.tenant is None and d.ownership is not gone][:limit]

    async def contested(
        self,
        scope: Scope,
        authority: str | None,
        tenant: str | None,
        limit: int,
        *,
        after: DeviceId | None = None,
    ) -> Sequence[Device]:
        return [
            device
            for device in self._in_scope(scope, authority, after)
            if device.tenant not in (None, tenant) or device.ownership is Ownership.CLAIMED
        ][:limit]

    def _in_scope(
        self, scope: Scope, authority: str | None, after: DeviceId | None
    ) -> list[Device]:
        def place(device: DeviceId) -> tuple[str, str]:
            return device.serial_number, str(device)

        asked = SalesRecord(
            scope=scope,
            tenant=None,
            authority=authority,
            recorded_at=datetime.min,  # noqa: DTZ901 - of no account
            source="",
        )
        devices = sorted(self._rows.devices.values(), key=lambda device: place(device.id))
        beyond = (d for d in devices if after is None or place(d.id) > place(after))
        return [device for device in beyond if speaks_of(asked, device)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRows(Staged[MintedDevice]):
    """Devices laid ready, in memory."""

    devices: tuple[Device, ...]
    codes: dict[DeviceId, ClaimCode]


def as_device(authority: str, minted: MintedDevice) -> Device:
    """What the port `Devices` shows of it; when it was registered is said later."""
    return Device(
        id=DeviceId(authority, minted.serial_number),
        model=minted.model,
        hardware_identity=minted.hardware_identity,
        minted=True,
        idevid_fingerprint=minted.idevid_fingerprint,
        registered_at=datetime.min,  # noqa: DTZ901 - replaced before anybody sees it
    )
