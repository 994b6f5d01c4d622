# SPDX-License-Identifier: Apache-2.0
"""Offer a device to another tenant: by name, or by a code for one that is not known yet."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from homeport.artefacts.claim_code import hash_claim_code, make_claim_code
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import Device
from homeport.domain.life.offer import LIFETIME, LIFETIME_MAX, Offer
from homeport.domain.ownership import OwnershipEvent, ownership_after
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.identifiers import new_id
from homeport.provisioning.life.quarantine import refuse_held
from homeport.provisioning.ownership.revocable import refuse_revocable
from homeport.provisioning.ports import Transaction


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer, and the code that takes it: shown once, only its hash is kept."""

    offer: Offer
    code: str | None
    """None for a named tenant."""


async def offer(
    tx: Transaction,
    device: Device,
    buyer: str | None,
    *,
    actor: str,
    now: datetime,
    lifetime: timedelta = LIFETIME,
) -> Offered:
    """Offer it; nothing changes for the device until somebody accepts.

    TRANSITION_ILLEGAL for a device that is not simply owned (offered already, awaited, at its end),
    in quarantine, or not arrived at its owner yet; TENANT_UNKNOWN; MalformedError for its own
    tenant or for the lifetime.
    """
    if not timedelta(0) < lifetime <= LIFETIME_MAX:
        raise MalformedError(f"an offer stands for at most {LIFETIME_MAX.days} days")
    ownership = ownership_after(device.ownership, OwnershipEvent.TRANSFER_OFFERED)
    await refuse_held(tx, device)
    await refuse_revocable(tx, device)
    if device.tenant is None or buyer == device.tenant:
        raise MalformedError("a device is offered by its owner, to another tenant")
    if buyer is not None and await tx.tenants.get(buyer) is None:
        raise HomeportError(Code.TENANT_UNKNOWN, buyer)
    code = None if buyer is not None else make_claim_code()
    made = Offer(
        id=new_id(now),
        device=device.id,
        seller=device.tenant,
        buyer=buyer,
        code_hash=hash_claim_code(code) if code else None,
        offered_by=actor,
        offered_at=now,
        expires_at=now + lifetime,
    )
    await tx.offers.put(made)
    await tx.devices.put(replace(device, ownership=ownership))
    facts = {
        "offer": made.id,
        "buyer": buyer or "whoever has the code",
        "seller": made.seller,
        "until": made.expires_at.isoformat(),
    }
    events = [(Name.TRANSFER_OFFERED, made.seller)]
    if buyer is not None:
        events.append((Name.TRANSFER_ANNOUNCED, buyer))
    await tx.audit.record(
        *(
            AuditEvent(name=name, at=now, actor=actor, tenant=whose, device=device.id, facts=facts)
            for name, whose in events
        )
    )
    return Offered(made, code)
