# SPDX-License-Identifier: Apache-2.0
"""Renew a device's operational certificate: product decision 5.

The earlier certificate counts until the new one was seen at the broker (`complete`), so a lost
answer locks nobody out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.credential import Credential, CredentialState
from homeport.domain.device import Device
from homeport.domain.enrolment import Event
from homeport.errors import CATALOGUE, Code, HomeportError
from homeport.provisioning.policy import Policy
from homeport.provisioning.ports import Issuer, Transaction
from homeport.provisioning.proof import ProvenRenewal
from homeport.provisioning.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Renewed:
    """What the device gets."""

    device: Device
    credential: Credential


@dataclass(frozen=True, slots=True)
class Renewing:
    """A proven renewal at work in one transaction."""

    tx: Transaction
    proven: ProvenRenewal
    issuer: Issuer
    policy: Policy
    now: datetime


async def renew(work: Renewing) -> Renewed | Refusal:
    """Certify the key anew, or say why this certificate may not renew; both are recorded.

    Raise CHAIN_UNTRUSTED for a certificate that the registry does not know.
    """
    present = await work.tx.credentials.get(work.proven.fingerprint)
    device = await work.tx.devices.get(present.device) if present else None
    if present is None or device is None:
        raise HomeportError(Code.CHAIN_UNTRUSTED, "this certificate was not issued here")
    known = await work.tx.credentials.of_key(work.proven.key_hash)
    refusal = _certificate_forbidden(work, device, present) or _key_forbidden(device, known)
    if refusal is not None:
        await work.tx.audit.record(_refused(work, device, present, refusal))
        return refusal
    for earlier in known:
        if earlier.request_id == work.proven.request_id and earlier.is_current(work.now):
            return Renewed(device, earlier)
    return Renewed(device, await _issue(work, device, present))


def _certificate_forbidden(work: Renewing, device: Device, present: Credential) -> Refusal | None:
    match present.state:
        case CredentialState.REVOKED:
            return Refusal(Code.CREDENTIAL_REVOKED, present.fingerprint[:16])
        case CredentialState.REPLACED:
            # Whoever has an earlier key only, has it from somewhere else than the device.
            return Refusal(Code.CREDENTIAL_REPLACED, present.fingerprint[:16])
        case CredentialState.CURRENT:
            pass
    if present.epoch != device.epoch:
        return Refusal(Code.EPOCH_STALE, f"issued under {present.epoch}, now {device.epoch}")
    if not present.is_renewable(work.now, work.policy.renewal_grace):
        return Refusal(Code.CERTIFICATE_EXPIRED, f"at {present.not_after.isoformat()}")
    return None


def _key_forbidden(device: Device, known: Sequence[Credential]) -> Refusal | None:
    if any(credential.device != device.id for credential in known):
        return Refusal(Code.KEY_TAKEN, "")
    if any(credential.state is CredentialState.REVOKED for credential in known):
        return Refusal(Code.KEY_REVOKED, "")
    return None


async def _issue(work: Renewing, device: Device, present: Credential) -> Credential:
    issued = work.issuer.issue(device.id, work.proven.csr, work.now)
    credential = replace(
        present,
        fingerprint=issued.fingerprint,
        request_id=work.proven.request_id,
        key_hash=work.proven.key_hash,
        serial_number=issued.serial_number,
        not_before=issued.not_before,
        not_after=issued.not_after,
        certificate=issued.certificate,
    )
    run = await work.tx.enrolments.latest(device.id)
    if run is not None and run.id == present.enrolment:
        # The run remembers the key that works now: a second key is any other.
        moved = run.after(Event.CERTIFICATE_ISSUED, work.now)
        await work.tx.enrolments.put(replace(moved, key_hash=work.proven.key_hash))
    await work.tx.credentials.put(credential)
    facts = {"not_after": issued.not_after.isoformat(), "credential": issued.fingerprint}
    await work.tx.audit.record(_event(work, device, present, Name.CREDENTIAL_RENEWED, facts))
    return credential


def _refused(work: Renewing, device: Device, present: Credential, refusal: Refusal) -> AuditEvent:
    entry = CATALOGUE[refusal.code]
    facts = {"code": str(refusal.code), "title": entry.title, "advice": entry.advice}
    facts |= {"detail": refusal.detail, "peer": work.proven.peer}
    return _event(work, device, present, Name.RENEWAL_REFUSED, facts)


def _event(
    work: Renewing, device: Device, present: Credential, name: Name, facts: Mapping[str, str]
) -> AuditEvent:
    return AuditEvent(
        name=name,
        at=work.now,
        actor="device",
        tenant=device.tenant,
        device=present.device,
        enrolment=present.enrolment,
        facts=facts,
    )
