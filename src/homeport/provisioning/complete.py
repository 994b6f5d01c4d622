# SPDX-License-Identifier: Apache-2.0
"""Complete: a device said at its upstream that it is there, or the broker that it is gone.

The first word said with a new certificate completes its enrolment, and ends the certificates before
it. State messages come at least once, maybe late and in any number; all of this may be repeated.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.credential import Credential, CredentialState
from homeport.domain.device import Device, DeviceId
from homeport.domain.enrolment import Enrolment, Event, State
from homeport.provisioning.ownership.confirm_owner import confirm_new_owner
from homeport.provisioning.ports import Presence, Transaction

ACTOR = "broker"


async def complete(
    tx: Transaction, *, tenant: str, device: DeviceId, fingerprint: str, online: bool, now: datetime
) -> bool:
    """Note the device's presence; say whether the message counted.

    `tenant` and `device` are those of the topic, which only this device may publish to;
    `fingerprint` names the certificate as the device says; `now` is when the broker took the
    message. It does not count if the device is no longer that tenant's, or the certificate is
    unknown, another device's, or does not count any more.
    """
    known = await tx.devices.get(device)
    credential = await tx.credentials.get(fingerprint)
    if known is None or known.tenant != tenant:
        return False
    if credential is None or credential.device != device or not _counts(credential, known, online):
        return False
    await _note_presence(tx, device, Presence(online=online, since=now))
    if online:
        await _end_earlier(tx, tenant, credential, now)
        await _arrive(tx, known, credential, now)
        _, events = await confirm_new_owner(tx, known, now=now)
        if events:
            await tx.audit.record(*events)
    return True


def _counts(credential: Credential, device: Device, online: bool) -> bool:  # noqa: FBT001 - a fact
    """Whether it is believed; the last will of a connection that was ended by revocation is."""
    if not online:
        return credential.state is not CredentialState.REPLACED
    return credential.state is CredentialState.CURRENT and credential.epoch == device.epoch


async def _note_presence(tx: Transaction, device: DeviceId, presence: Presence) -> None:
    seen = await tx.presence.get(device)
    if seen is None or seen.since <= presence.since:
        await tx.presence.put(device, presence)


async def _end_earlier(tx: Transaction, tenant: str, used: Credential, now: datetime) -> None:
    for earlier in _before(used, iter(await tx.credentials.of_device(used.device))):
        if earlier.state is CredentialState.CURRENT:
            await tx.credentials.put(replace(earlier, state=CredentialState.REPLACED))
            await tx.audit.record(_event(Name.CREDENTIAL_REPLACED, tenant, earlier, now))


def _before(used: Credential, oldest_first: Iterator[Credential]) -> Iterator[Credential]:
    for credential in oldest_first:
        if credential.fingerprint == used.fingerprint:
            return
        yield credential


async def _arrive(tx: Transaction, device: Device, credential: Credential, now: datetime) -> None:
    run = await _run_of(tx, credential)
    if run is None or run.state is not State.ISSUED:
        return
    await tx.enrolments.put(run.after(Event.FIRST_MESSAGE_SEEN, now))
    event = _event(Name.ENROLMENT_COMPLETED, device.tenant, credential, now)
    await tx.audit.record(replace(event, facts={**event.facts, "upstream": device.upstream or "–"}))


async def _run_of(tx: Transaction, credential: Credential) -> Enrolment | None:
    run = await tx.enrolments.latest(credential.device)
    if run is not None and run.id != credential.enrolment:
        run = await tx.enrolments.with_key(credential.device, credential.key_hash)
    return run if run is not None and run.id == credential.enrolment else None


def _event(name: Name, tenant: str | None, credential: Credential, now: datetime) -> AuditEvent:
    return AuditEvent(
        name=name,
        at=now,
        actor=ACTOR,
        tenant=tenant,
        device=credential.device,
        enrolment=credential.enrolment,
        facts={"credential": credential.fingerprint},
    )
