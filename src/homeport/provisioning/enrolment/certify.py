# SPDX-License-Identifier: Apache-2.0
"""Bring a run as far as the facts allow: park it, redirect it, or certify its key."""

from dataclasses import replace

from homeport.domain.audit import Name
from homeport.domain.credential import Credential
from homeport.domain.device import Device
from homeport.domain.enrolment import PARKED, Enrolment, Event, Fact, State
from homeport.provisioning.enrolment.outcome import Outcome, Redirection
from homeport.provisioning.enrolment.place import find_place
from homeport.provisioning.enrolment.visit import Visit

_WORKING = frozenset({State.ISSUED, State.OPERATIONAL})
_MISSING = {Fact.OWNER: Event.OWNER_MISSING, Fact.UPSTREAM: Event.UPSTREAM_MISSING}


async def proceed(visit: Visit, device: Device, run: Enrolment) -> Outcome:
    """Look for the device's place and act on what was found."""
    if run.state is State.AWAITING_DECISION:
        return Outcome(device, run)
    device, place = await find_place(visit.tx, device, epoch=visit.proven.epoch, now=visit.now)
    if isinstance(place, Fact):
        return Outcome(device, await _park(visit, run, place))
    if run.state in PARKED:
        fact = PARKED[run.state]
        await visit.tx.audit.record(visit.event(Name.ENROLMENT_RESUMED, run, fact=fact))
    if place.redirection is not None:
        return await _redirect(visit, device, run, place.redirection)
    if run.state not in _WORKING:
        run = run.after(Event.PLACE_FOUND, visit.now)
    return await _certify(visit, device, run)


async def _park(visit: Visit, run: Enrolment, fact: Fact) -> Enrolment:
    if PARKED.get(run.state) is fact:
        return run
    run = run.after(_MISSING[fact], visit.now)
    await visit.tx.enrolments.put(run)
    await visit.tx.audit.record(visit.parked(run, fact))
    return run


async def _redirect(
    visit: Visit, device: Device, run: Enrolment, redirection: Redirection
) -> Outcome:
    if run.state is not State.REDIRECTED:
        run = run.after(Event.PLACE_FOUND, visit.now).after(Event.REDIRECT_GIVEN, visit.now)
        await visit.tx.enrolments.put(run)
        url = redirection.upstream.url or ""
        await visit.tx.audit.record(visit.event(Name.ENROLMENT_REDIRECTED, run, url=url))
    return Outcome(device, run, redirection=redirection)


async def _certify(visit: Visit, device: Device, run: Enrolment) -> Outcome:
    for earlier in await visit.tx.credentials.of_key(visit.proven.key_hash):
        same = earlier.request_id == visit.proven.request_id and earlier.epoch == device.epoch
        if same and earlier.is_valid(visit.now):
            return Outcome(device, run, earlier)
    issued = visit.issuer.issue(device.id, visit.proven.csr, visit.now)
    run = replace(run.after(Event.CERTIFICATE_ISSUED, visit.now), epoch=device.epoch)
    credential = Credential(
        fingerprint=issued.fingerprint,
        device=device.id,
        enrolment=run.id,
        request_id=visit.proven.request_id,
        key_hash=visit.proven.key_hash,
        serial_number=issued.serial_number,
        not_before=issued.not_before,
        not_after=issued.not_after,
        epoch=device.epoch,
        certificate=issued.certificate,
    )
    await visit.tx.enrolments.put(run)
    await visit.tx.credentials.put(credential)
    event = visit.event(
        Name.CREDENTIAL_ISSUED,
        run,
        not_after=issued.not_after.isoformat(),
        credential=issued.fingerprint,
    )
    await visit.tx.audit.record(event)
    return Outcome(device, run, credential)
