# SPDX-License-Identifier: Apache-2.0
"""Renew a device's operational certificate: product decision 5.

The earlier certificate counts until the new one was seen at the broker (`complete`), so a lost
answer locks nobody out.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.credential import Credential, CredentialState
from homeport.domain.device import Device
from homeport.domain.enrolment import Event
from homeport.errors import Code, HomeportError
from homeport.provisioning.policy import Policy
from homeport.provisioning.ports import Issuer, Transaction
from homeport.provisioning.proof import ProvenRenewal


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


async def renew(work: Renewing) -> Renewed:
    """Certify the key anew; HomeportError (kind refused) when this certificate may not renew."""
    present = await work.tx.credentials.get(work.proven.fingerprint)
    if present is None:
        raise HomeportError(Code.CHAIN_UNTRUSTED, "this certificate was not issued here")
    device = await _permitted(work, present)
    for earlier in await _of_key(work, device):
        if earlier.request_id == work.proven.request_id and earlier.is_valid(work.now):
            return Renewed(device, earlier)
    return Renewed(device, await _issue(work, device, present))


async def _permitted(work: Renewing, present: Credential) -> Device:
    device = await work.tx.devices.get(present.device)
    if device is None:
        raise HomeportError(Code.DEVICE_UNKNOWN, str(present.device))
    if present.state is CredentialState.REVOKED:
        raise HomeportError(Code.CREDENTIAL_REVOKED, present.fingerprint[:16])
    if present.epoch != device.epoch:
        raise HomeportError(Code.EPOCH_STALE, f"issued under {present.epoch}, now {device.epoch}")
    if not present.is_renewable(work.now, work.policy.renewal_grace):
        raise HomeportError(Code.CERTIFICATE_EXPIRED, f"at {present.not_after.isoformat()}")
    return device


async def _of_key(work: Renewing, device: Device) -> list[Credential]:
    known = list(await work.tx.credentials.of_key(work.proven.key_hash))
    if any(credential.device != device.id for credential in known):
        raise HomeportError(Code.KEY_TAKEN, "")
    if any(credential.state is CredentialState.REVOKED for credential in known):
        raise HomeportError(Code.KEY_REVOKED, "")
    return known


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
        state=CredentialState.CURRENT,
    )
    run = await work.tx.enrolments.latest(device.id)
    if run is not None and run.id == present.enrolment:
        # The run remembers the key that works now: a second key is any other.
        moved = run.after(Event.CERTIFICATE_ISSUED, work.now)
        await work.tx.enrolments.put(replace(moved, key_hash=work.proven.key_hash))
    await work.tx.credentials.put(credential)
    event = AuditEvent(
        name=Name.CREDENTIAL_RENEWED,
        at=work.now,
        actor="device",
        device=device.id,
        enrolment=present.enrolment,
        facts={"not_after": issued.not_after.isoformat(), "credential": issued.fingerprint},
    )
    await work.tx.audit.record(event)
    return credential
