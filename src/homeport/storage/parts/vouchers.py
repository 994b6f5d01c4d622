# SPDX-License-Identifier: Apache-2.0
"""Vouchers that wait to be given to devices."""

from typing import Final

from sqlalchemy import select

from homeport.domain.device import DeviceId
from homeport.errors import Code
from homeport.provisioning.ports import StoredVoucher
from homeport.storage.compiled import ONE, ZERO, named, query, upsert
from homeport.storage.connection import Connection
from homeport.storage.schema import vouchers

_GET: Final = query(
    select(vouchers.c.epoch, vouchers.c.voucher)
    .where(vouchers.c.device == named("device"), vouchers.c.upstream == named("upstream"))
    .order_by(vouchers.c.epoch.desc())
    .limit(ONE)
    .offset(ZERO)
)
_PUT: Final = upsert(
    vouchers, key=["device", "upstream", "epoch"], change=["voucher"], absent=Code.NOT_FOUND
)


class SqlVouchers:
    """The port `Vouchers`."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection."""
        self._connection = connection

    async def get(self, device: DeviceId, upstream: str) -> StoredVoucher | None:
        """Return the one of the highest epoch."""
        row = await self._connection.row(_GET, {"device": str(device), "upstream": upstream})
        if row is None:
            return None
        return StoredVoucher(device=device, upstream=upstream, epoch=row[0], voucher=row[1])

    async def put(self, voucher: StoredVoucher) -> None:
        """Keep it, instead of an earlier one of the same device, upstream and epoch."""
        values = {
            "device": str(voucher.device),
            "upstream": voucher.upstream,
            "epoch": voucher.epoch,
            "voucher": voucher.voucher,
        }
        await self._connection.run(_PUT, values)
