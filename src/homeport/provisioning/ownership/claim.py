# SPDX-License-Identifier: Apache-2.0
"""Claim a device by its code: product decision 9.

Rules: it works while the device is offline, and is provisional until the device enrols; a claim
evicts neither a pending one nor a sale; a serial number that is not there, a wrong code and a code
that was used have one answer. Wrong guesses are recorded here and counted at the door, by guesser.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from homeport.artefacts.claim_code import parse_claim_code
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.claim import Claim
from homeport.domain.device import Device
from homeport.domain.ownership import Ownership, OwnershipEvent, Proof, ownership_after
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.identifiers import new_id
from homeport.provisioning.ownership.claim_codes import compare_with_nothing, is_right
from homeport.provisioning.ports import Transaction
from homeport.provisioning.refusal import Refusal

TEXT_MAX = 256
"""Characters of a serial number or device id; longer ones are nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRequest:
    """What somebody says who read a label."""

    device: str
    """Serial number, or the whole device id."""
    code: str
    """As it was typed or scanned."""
    tenant: str
    """For whom."""


async def claim(
    tx: Transaction, request: ClaimRequest, *, actor: str, now: datetime
) -> Claim | Refusal:
    """Return the pending claim, the present one if it is this tenant's already, or a refusal.

    A refusal is returned, not raised, because its event must be kept. MalformedError for what is no
    code at all; TENANT_UNKNOWN.
    """
    if not 0 < len(request.device) <= TEXT_MAX or not request.device.isprintable():
        raise MalformedError("not a serial number")
    code = parse_claim_code(request.code)
    if await tx.tenants.get(request.tenant) is None:
        raise HomeportError(Code.TENANT_UNKNOWN, request.tenant)
    device = await _meant(tx, request.device, code)
    refusal = Refusal(Code.CLAIM_REFUSED, "") if device is None else None
    if device is not None:
        present = await tx.claims.pending(device.id)
        if present is not None and present.tenant == request.tenant:
            return present
        refusal = await _taken(tx, device, present, request.tenant)
        if refusal is None:
            return await _keep(tx, device, request.tenant, actor, now)
    await tx.audit.record(_refused(request, actor, now))
    return refusal or Refusal(Code.CLAIM_REFUSED, "")


async def _meant(tx: Transaction, text: str, code: str) -> Device | None:
    """Return the one device of this name whose code it is; all are compared, however many."""
    found = await tx.devices.find(text)
    if not found:
        compare_with_nothing(code)
    right = [device for device in found if await is_right(tx, device, code)]
    return right[0] if len(right) == 1 else None


async def _taken(
    tx: Transaction, device: Device, present: Claim | None, tenant: str
) -> Refusal | None:
    """Whoever knows the code may hear that somebody was faster, but not who."""
    if present is not None:
        return Refusal(Code.CLAIM_TAKEN, "by a pending claim")
    if device.ownership is not Ownership.UNOWNED:
        return Refusal(Code.CLAIM_REFUSED, "")
    sale = await tx.sales.covering(device)
    if sale is not None and sale.tenant not in (None, tenant):
        return Refusal(Code.CLAIM_TAKEN, "it was sold to somebody else")
    return None


async def _keep(tx: Transaction, device: Device, tenant: str, actor: str, now: datetime) -> Claim:
    made = Claim(id=new_id(now), device=device.id, tenant=tenant, actor=actor, claimed_at=now)
    await tx.claims.put(made)
    after = ownership_after(device.ownership, OwnershipEvent.CLAIMED)
    await tx.devices.put(replace(device, ownership=after))
    facts = {"tenant": tenant, "proof": Proof.CLAIM_CODE.value, "claim": made.id}
    await tx.audit.record(
        AuditEvent(
            name=Name.DEVICE_CLAIMED,
            at=now,
            actor=actor,
            tenant=tenant,
            device=device.id,
            facts=facts,
        )
    )
    return made


def _refused(request: ClaimRequest, actor: str, now: datetime) -> AuditEvent:
    # No device: that there is one must not be told to who did not know its code.
    facts = {"serial_number": request.device}
    return AuditEvent(
        name=Name.CLAIM_REFUSED, at=now, actor=actor, tenant=request.tenant, facts=facts
    )
