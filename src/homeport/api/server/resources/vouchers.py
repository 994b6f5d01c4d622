# SPDX-License-Identifier: Apache-2.0
"""`/vouchers`: papers for devices of other platforms."""

from typing import Final

from fastapi import APIRouter, Request

from homeport.api.server.ask import Posted, needs
from homeport.api.server.uploads import takes_file
from homeport.api.wire.artefacts import VoucherReport
from homeport.domain.people import Permission
from homeport.provisioning.imports.voucher import import_voucher
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/vouchers", tags=["factories"])


@router.post(
    "",
    **needs(
        Permission.PLATFORM_OPERATE,
        409,
        422,
        **takes_file("application/voucher-jws+json", "The voucher, as the manufacturer issued it."),
    ),
)
async def file_voucher(ask: Posted, request: Request) -> VoucherReport:
    """File an ownership voucher; a device that waits for it goes on at once."""
    ask.demand(None, "vouchers")
    voucher = await request.body()

    async def verb(tx: Transaction) -> VoucherReport:
        device, upstream = await import_voucher(tx, voucher, actor=ask.actor, now=ask.now)
        return VoucherReport(
            device=str(device.id), serial_number=device.id.serial_number, upstream=upstream.name
        )

    return await ask.once(VoucherReport, verb)
