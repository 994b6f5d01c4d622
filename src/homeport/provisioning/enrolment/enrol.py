# SPDX-License-Identifier: Apache-2.0
"""Enrol a proven device: the verb behind every protocol.

Rules (product decisions 2, 10): a repeated request gets the same certificate; a revoked key is
never certified again, nor one key for two devices; a second key on a working identity waits for a
decision while the device that works goes on. Repeating the request while the run is parked
changes nothing and writes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from homeport.domain.audit import Name
from homeport.domain.credential import Credential, CredentialState
from homeport.domain.device import Device
from homeport.domain.enrolment import ENDED, WORKING, Enrolment, Event, Fact, State
from homeport.domain.life.command import Order
from homeport.domain.ownership import Ownership
from homeport.errors import Code
from homeport.provisioning.enrolment.certify import proceed
from homeport.provisioning.enrolment.commanded import obeyed
from homeport.provisioning.enrolment.outcome import Outcome
from homeport.provisioning.enrolment.supersede import supersede
from homeport.provisioning.enrolment.visit import Visit
from homeport.provisioning.identifiers import new_id
from homeport.provisioning.policy import SecondKey
from homeport.provisioning.refusal import Refusal

CANDIDATES_MAX: Final = 3
"""Second keys that may wait for a decision per device: a copied identity must not fill the disk."""


async def enrol(visit: Visit) -> Outcome | Refusal:
    """Bring the device's run as far as the facts allow, and return what the device gets."""
    tx, key_hash = visit.tx, visit.proven.key_hash
    device = await _known(visit)
    run = await tx.enrolments.with_key(device.id, key_hash)
    latest = await tx.enrolments.latest(device.id)
    issued = await tx.credentials.of_key(key_hash)
    visit.tenant = device.tenant
    going = _forbidden(visit, device, run, latest, issued) or run
    if going is None or (isinstance(going, Enrolment) and going.state is State.SUPERSEDED):
        going = await _begin(visit, device, going, latest)
    outcome: Outcome | Refusal
    if isinstance(going, Enrolment):
        outcome = await proceed(visit, device, going, issued)
        if outcome.run != run:
            await tx.enrolments.put(outcome.run)
        if outcome.credential is not None and outcome.credential not in issued:
            await tx.credentials.put(outcome.credential)
    else:
        outcome = going
        visit.tell_refused(going)
    if visit.events:
        await tx.audit.record(*visit.events)
    return outcome


async def _known(visit: Visit) -> Device:
    """Return the device as registered; one that nobody announced is registered now."""
    proven, tx = visit.proven, visit.tx
    device = await tx.devices.get(proven.device)
    if device is None:
        device = Device(
            id=proven.device,
            model=proven.model,
            hardware_identity="external",
            minted=False,
            idevid_fingerprint=proven.idevid_fingerprint,
            registered_at=visit.now,
        )
        await tx.devices.put(device)
        source = "first contact; it is in no manifest"
        visit.tell(Name.DEVICE_REGISTERED, model=proven.model, source=source)
    elif device.idevid_fingerprint is None:
        device = replace(device, idevid_fingerprint=proven.idevid_fingerprint)
        await tx.devices.put(device)
    return device


def _forbidden(
    visit: Visit,
    device: Device,
    run: Enrolment | None,
    latest: Enrolment | None,
    issued: Sequence[Credential],
) -> Refusal | None:
    if device.ownership is Ownership.DECOMMISSIONED:
        return Refusal(Code.DEVICE_DECOMMISSIONED, "")
    if device.idevid_fingerprint != visit.proven.idevid_fingerprint:
        return Refusal(Code.DEVICE_CONFLICT, "it shows another IDevID than the one minted for it")
    refusal = _key_forbidden(device, issued, is_barred=_is_barred(latest))
    if refusal is not None:
        return refusal
    if _is_barred(latest):
        return Refusal(Code.CREDENTIAL_REVOKED, "the device was revoked and not readmitted")
    if run is not None and run.state is State.REFUSED:
        return Refusal(Code.KEY_REVOKED, "a person refused this key")
    return None


def _key_forbidden(
    device: Device, issued: Sequence[Credential], *, is_barred: bool
) -> Refusal | None:
    """Say why a key that was certified before gets nothing; a barred device hears that instead."""
    for credential in issued:
        if credential.device != device.id:
            return Refusal(Code.KEY_TAKEN, f"by {credential.device}")
        if credential.state is CredentialState.REVOKED and not is_barred:
            if credential.epoch != device.epoch:
                return Refusal(Code.EPOCH_STALE, f"the key of epoch {credential.epoch}")
            return Refusal(Code.KEY_REVOKED, f"certificate {credential.fingerprint[:16]}")
    return None


def _is_barred(latest: Enrolment | None) -> bool:
    return latest is not None and latest.state is State.REVOKED


async def _was_asked_to_reset(visit: Visit, device: Device) -> bool:
    """Say whether the new key is the answer to a command; it may be here before the device's word.

    Who takes part in the enrolment has the identity's key: nobody else gains anything by it.
    """
    asked = await visit.tx.commands.asked(device.id)
    if asked is None or asked.order is not Order.RESET or asked.epoch != device.epoch:
        return False
    visit.events.extend(await obeyed(visit.tx, device, asked, now=visit.now))
    return True


async def _begin(
    visit: Visit, device: Device, run: Enrolment | None, latest: Enrolment | None
) -> Enrolment | Refusal:
    """Begin a run for a key that has none, or for one that was superseded and comes back."""
    is_second = run is not None or (latest is not None and latest.state in WORKING)
    must_ask = (
        is_second
        and visit.policy.second_key is SecondKey.ASK
        and not await _was_asked_to_reset(visit, device)
    )
    if must_ask and len(await visit.tx.enrolments.candidates(device.id)) >= CANDIDATES_MAX:
        return Refusal(Code.DEVICE_CONFLICT, "too many second keys wait for a decision")
    begun = run or Enrolment(
        id=new_id(visit.now),
        device=device.id,
        state=State.PROVEN,
        request_id=visit.proven.request_id,
        key_hash=visit.proven.key_hash,
        epoch=device.epoch,
        started_at=visit.now,
        changed_at=visit.now,
    )
    visit.tell(Name.ENROLMENT_STARTED, begun, peer=visit.proven.peer)
    if is_second:
        begun = begun.after(Event.SECOND_KEY_SEEN, visit.now)
    if must_ask:
        visit.tell_parked(begun, Fact.DECISION)
    elif is_second:
        begun = begun.after(Event.CANDIDATE_ACCEPTED, visit.now)
    if not must_ask and latest is not None and latest.state not in ENDED:
        visit.events.extend(
            await supersede(visit.tx, latest, device.tenant, actor="device", now=visit.now)
        )
    return begun
