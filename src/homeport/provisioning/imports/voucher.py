# SPDX-License-Identifier: Apache-2.0
"""Import an ownership voucher: it waits here for its device, which alone can prove it.

The platform does not check the signature: it is not the one that has to believe it, and has no
voucher anchors. What it says decides where it is filed: device by serial number, upstream by the
pinned domain certificate.
"""

from datetime import datetime

from homeport.artefacts.voucher import Voucher, read_voucher
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.upstream import Upstream
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import StoredVoucher, Transaction


async def import_voucher(
    tx: Transaction, voucher: bytes, *, actor: str, now: datetime
) -> tuple[Device, Upstream]:
    """File a voucher.

    Raise MalformedError, VOUCHER_UNPROVEN if it has ended, DEVICE_UNKNOWN or UPSTREAM_UNKNOWN.
    """
    said = read_voucher(voucher)
    if said.expires_on is not None and said.expires_on <= now:
        # No device would take it, and would be sent away again and again.
        detail = f"it ended at {said.expires_on:%Y-%m-%d %H:%M}: ask the maker for a new one"
        raise HomeportError(Code.VOUCHER_UNPROVEN, detail)
    device = await _device(tx, said)
    upstream = await _upstream(tx, said)
    stored = StoredVoucher(
        device=device.id, upstream=upstream.name, epoch=said.epoch, voucher=voucher
    )
    await tx.vouchers.put(stored)
    facts: dict[str, str | int] = {"upstream": upstream.name, "epoch": said.epoch}
    await tx.audit.record(
        AuditEvent(
            name=Name.VOUCHER_IMPORTED,
            at=now,
            actor=actor,
            tenant=device.tenant,
            device=device.id,
            facts=facts,
        )
    )
    return device, upstream


async def _device(tx: Transaction, said: Voucher) -> Device:
    serial = said.serial_number
    found = [d for d in await tx.devices.find(serial) if d.id.serial_number == serial]
    if not found:
        raise HomeportError(Code.DEVICE_UNKNOWN, said.serial_number)
    if len(found) > 1:
        raise HomeportError(Code.DEVICE_UNKNOWN, f"several makers have a {said.serial_number}")
    return found[0]


async def _upstream(tx: Transaction, said: Voucher) -> Upstream:
    for upstream in await tx.upstreams.all():
        if upstream.anchor == said.pinned_domain_cert:
            return upstream
    raise HomeportError(Code.UPSTREAM_UNKNOWN, "none has the domain certificate that it pins")
