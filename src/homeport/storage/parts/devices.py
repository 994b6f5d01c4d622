# SPDX-License-Identifier: Apache-2.0
"""The devices themselves."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select

from homeport.domain.device import Device, DeviceId
from homeport.domain.ownership import Scope
from homeport.errors import Code
from homeport.provisioning.ports import MintedDevice, Staged
from homeport.storage.compiled import BATCH_NAMES, ZERO, batches, named, query, upsert
from homeport.storage.connection import Connection
from homeport.storage.instants import to_micros
from homeport.storage.parts import minted
from homeport.storage.parts.device_rows import DEVICE_COLUMNS, to_device
from homeport.storage.parts.ownership.scopes import CONTESTED, UNOWNED, Question, devices_of
from homeport.storage.schema import devices

FOUND_MAX: Final = 10
"""As many makers may use one serial number before a person must give the whole id."""

_ALL: Final = select(*DEVICE_COLUMNS)
_GET: Final = query(_ALL.where(devices.c.id == named("id")))
_FIND: Final = query(
    _ALL.where(or_(devices.c.id == named("text"), devices.c.serial_number == named("text")))
    .order_by(devices.c.id)
    .limit(named("limit"))
    .offset(ZERO)
)
_REGISTERED: Final = query(
    select(devices.c.serial_number).where(
        devices.c.serial_number.in_([named(name) for name in BATCH_NAMES])
    )
)
_PUT: Final = upsert(
    devices,
    key=["id"],
    change=["model", "idevid_fingerprint", "tenant", "upstream", "epoch", "ownership", "proof"],
    without=("dpp_key", "dpp_key_hash", "claim_code_hash", "claim_code_epoch"),
    absent=Code.TENANT_UNKNOWN,
)


class SqlDevices:
    """The port `Devices`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, device: DeviceId) -> Device | None:
        """Return one by its id."""
        row = await self._connection.row(_GET, {"id": str(device)})
        return to_device(row, device) if row else None

    async def find(self, text: str) -> Sequence[Device]:
        """Return those whose id or whole serial number is the text (at most 10), by id."""
        rows = await self._connection.rows(_FIND, {"text": text, "limit": FOUND_MAX})
        return [to_device(row) for row in rows]

    async def registered(self, serial_numbers: Collection[str]) -> set[str]:
        """Return those of the serial numbers that registered devices bear."""
        found: set[str] = set()
        for some in batches(serial_numbers):
            found.update(row[0] for row in await self._connection.rows(_REGISTERED, some))
        return found

    async def put(self, device: Device) -> None:
        """Add it, or change the model, the IDevID and all about the owner of the one there is."""
        values = {
            "id": str(device.id),
            "authority": device.id.authority,
            "serial_number": device.id.serial_number,
            "model": device.model,
            "hardware_identity": device.hardware_identity,
            "minted": int(device.minted),
            "idevid_fingerprint": device.idevid_fingerprint,
            "tenant": device.tenant,
            "upstream": device.upstream,
            "epoch": device.epoch,
            "registered_at": to_micros(device.registered_at),
            "ownership": device.ownership.value,
            "proof": device.proof.value if device.proof else None,
        }
        await self._connection.run(_PUT, values)

    async def add_minted(self, staged: Staged[MintedDevice], now: datetime) -> int:
        """Register a manifest's devices; return how many were not there before."""
        return await minted.add(self._connection, staged, now)

    async def unowned(
        self, scope: Scope, authority: str | None, limit: int, *, after: DeviceId | None = None
    ) -> Sequence[Device]:
        """Return registered devices of the scope that have no tenant, at most `limit`."""
        asked = Question(scope, authority, None, limit, after)
        return await devices_of(self._connection, UNOWNED, asked)

    async def contested(
        self,
        scope: Scope,
        authority: str | None,
        tenant: str | None,
        limit: int,
        *,
        after: DeviceId | None = None,
    ) -> Sequence[Device]:
        """Return those of the scope that have another tenant than this one, or a pending claim."""
        asked = Question(scope, authority, tenant, limit, after)
        return await devices_of(self._connection, CONTESTED, asked)
