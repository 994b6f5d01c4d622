# SPDX-License-Identifier: Apache-2.0
"""The devices themselves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, or_, select

from homeport.domain.device import Device, DeviceId
from homeport.domain.ownership import Ownership, Proof, SerialRange
from homeport.errors import Code
from homeport.provisioning.ports import MintedDevice, Staged
from homeport.storage.compiled import ZERO, named, query, upsert
from homeport.storage.connection import Connection, Row
from homeport.storage.instants import to_instant, to_micros
from homeport.storage.parts import minted
from homeport.storage.schema import devices

FOUND_MAX: Final = 10
"""As many makers may use one serial number before a person must give the whole id."""

COLUMNS: Final = [
    devices.c[name]
    for name in (
        "authority",
        "serial_number",
        "model",
        "hardware_identity",
        "minted",
        "idevid_fingerprint",
        "tenant",
        "upstream",
        "epoch",
        "registered_at",
        "ownership",
        "proof",
    )
]
_ALL: Final = select(*COLUMNS)
_GET: Final = query(_ALL.where(devices.c.id == named("id")))
_FIND: Final = query(
    _ALL.where(or_(devices.c.id == named("text"), devices.c.serial_number == named("text")))
    .order_by(devices.c.id)
    .limit(named("limit"))
    .offset(ZERO)
)
_UNOWNED: Final = (
    _ALL.where(
        devices.c.serial_number.between(named("first"), named("last")),
        func.length(devices.c.serial_number) == named("length"),
        devices.c.tenant.is_(None),
        or_(devices.c.serial_number != named("seen"), devices.c.id > named("after")),
    )
    .order_by(devices.c.serial_number, devices.c.id)
    .limit(named("limit"))
    .offset(ZERO)
)
_UNOWNED_OF_ANY: Final = query(_UNOWNED)
_UNOWNED_OF_ONE: Final = query(_UNOWNED.where(devices.c.authority == named("authority")))

_PUT: Final = upsert(
    devices,
    key=["id"],
    change=["model", "idevid_fingerprint", "tenant", "upstream", "epoch", "ownership", "proof"],
    without=("dpp_key", "dpp_key_hash", "claim_code_hash", "claim_code_epoch"),
    absent=Code.TENANT_UNKNOWN,
)


_OWNERSHIPS: Final = {state.value: state for state in Ownership}
"""A look-up; calling the enumeration takes four times as long, and this is every enrolment."""


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
        self,
        serial_numbers: SerialRange,
        authority: str | None,
        limit: int,
        *,
        after: DeviceId | None = None,
    ) -> Sequence[Device]:
        """Return registered devices of the range that have no tenant yet, by serial number, id."""
        statement = _UNOWNED_OF_ANY if authority is None else _UNOWNED_OF_ONE
        values = {
            "last": serial_numbers.last,
            "length": len(serial_numbers.first),
            "authority": authority,
            "limit": limit,
        }
        found: list[Device] = []
        # What lies between as text need not be counted: the range itself has the last word.
        while len(found) < limit:
            seen = after.serial_number if after else ""
            values |= {"first": max(serial_numbers.first, seen), "seen": seen, "after": str(after)}
            page = [to_device(row) for row in await self._connection.rows(statement, values)]
            found += [device for device in page if device.id.serial_number in serial_numbers]
            if len(page) < limit:
                break
            after = page[-1].id
        return found[:limit]


def to_device(row: Row, device: DeviceId | None = None) -> Device:
    """Read a row of COLUMNS; the caller may know the id already."""
    authority, serial_number, model, hardware_identity, is_minted, fingerprint, *rest = row
    tenant, upstream, epoch, registered_at, ownership, proof = rest
    return Device(
        id=device or DeviceId(authority, serial_number),
        model=model,
        hardware_identity=hardware_identity,
        minted=bool(is_minted),
        idevid_fingerprint=fingerprint,
        tenant=tenant,
        upstream=upstream,
        epoch=epoch,
        registered_at=to_instant(registered_at),
        ownership=_OWNERSHIPS[ownership],
        proof=Proof(proof) if proof else None,
    )
