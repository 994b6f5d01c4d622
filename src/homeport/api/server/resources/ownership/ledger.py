# SPDX-License-Identifier: Apache-2.0
"""`/devices/{device_id}/ownership` and `/claim-code`: the ledger, and a code for the next owner."""

from typing import Final

from fastapi import APIRouter

from homeport.api.server.ask import Asked, Posted, needs
from homeport.api.server.subjects import DevicePath, the_device
from homeport.api.wire.ownership import Claim, ClaimCode, DeviceOwnership, LedgerEntry
from homeport.artefacts.claim_code import show_claim_code
from homeport.domain.people import Permission
from homeport.provisioning.ownership.claim_codes import make_code
from homeport.provisioning.ownership.ledger import ledger
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/devices/{device_id}", tags=["devices"])


@router.get("/ownership", **needs(Permission.DEVICES_READ))
async def get_ownership(device_id: DevicePath, ask: Asked) -> DeviceOwnership:
    """Tell whose a device is and was; who others were is not told."""

    async def verb(tx: Transaction) -> DeviceOwnership:
        device = await the_device(tx, ask, device_id)
        mine = ask.tenants()
        pending = await tx.claims.pending(device.id)
        entries = [entry.seen_by(mine) for entry in await ledger(tx, device)]
        return DeviceOwnership(
            ownership=device.ownership,
            tenant=device.tenant,
            epoch=device.epoch,
            proof=device.proof,
            claim=Claim.of(pending) if pending else None,
            entries=[LedgerEntry.of(entry) for entry in entries],
        )

    return await ask.read(verb)


@router.post("/claim-code", status_code=201, **needs(Permission.DEVICES_TRANSFER, 409))
async def make_a_claim_code(device_id: DevicePath, ask: Posted) -> ClaimCode:
    """Make a fresh claim code; the label's, and every earlier one, is worthless then."""

    async def verb(tx: Transaction) -> ClaimCode:
        device = await the_device(tx, ask, device_id)
        code = await make_code(tx, device, actor=ask.actor, now=ask.now)
        return ClaimCode(code=show_claim_code(code))

    return await ask.once(ClaimCode, verb, is_secret=True)
