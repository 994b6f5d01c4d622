# SPDX-License-Identifier: Apache-2.0
"""The code that claims each device, as its hash: two columns of its row."""

from typing import Final

from sqlalchemy import select, update

from homeport.domain.claim import ClaimCode
from homeport.domain.device import DeviceId
from homeport.storage.compiled import named, query
from homeport.storage.connection import Connection
from homeport.storage.schema import devices

_GET: Final = query(
    select(devices.c.claim_code_hash, devices.c.claim_code_epoch).where(
        devices.c.id == named("device")
    )
)
_PUT: Final = query(
    update(devices)
    .where(devices.c.id == named("device"))
    .values(claim_code_hash=named("hash"), claim_code_epoch=named("epoch"))
)


class SqlClaimCodes:
    """The port `ClaimCodes`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, device: DeviceId) -> ClaimCode | None:
        """Return a device's, whether or not it still counts."""
        row = await self._connection.row(_GET, {"device": str(device)})
        return ClaimCode(bytes.fromhex(row[0]), row[1]) if row and row[0] else None

    async def put(self, device: DeviceId, code: ClaimCode) -> None:
        """Give a registered device another code; the earlier one is forgotten."""
        values = {"device": str(device), "hash": code.hash.hex(), "epoch": code.epoch}
        await self._connection.run(_PUT, values)
