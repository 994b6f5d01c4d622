# SPDX-License-Identifier: Apache-2.0
"""Bring a run as far as the facts allow: park it, redirect it, or certify its key.

What comes of it is returned and told; the verb (`enrol`) keeps it.
"""

from collections.abc import Sequence
from dataclasses import replace

from homeport.domain.audit import Name
from homeport.domain.credential import Credential
from homeport.domain.device import Device
from homeport.domain.enrolment import PARKED, WORKING, Enrolment, Event, Fact, State
from homeport.provisioning.enrolment.outcome import Outcome, Redirection
from homeport.provisioning.enrolment.place import find_place
from homeport.provisioning.enrolment.visit import Visit
from homeport.provisioning.ownership.confirm_owner import confirm_new_owner

_MISSING = {Fact.OWNER: Event.OWNER_MISSING, Fact.UPSTREAM: Event.UPSTREAM_MISSING}


async def proceed(
    visit: Visit, device: Device, run: Enrolment, issued: Sequence[Credential]
) -> Outcome:
    """Look for the device's place and act on what was found.

    `issued` are the certificates that the key has already.
    """
    if run.state is State.AWAITING_DECISION:
        return Outcome(device, run)
    device, place = await find_place(
        visit.tx, device, epoch=visit.proven.epoch, now=visit.now, events=visit.events
    )
    visit.tenant = device.tenant
    if isinstance(place, Fact):
        return Outcome(device, _park(visit, run, place))
    if run.state in PARKED:
        visit.tell(Name.ENROLMENT_RESUMED, run, fact=PARKED[run.state])
    if place.redirection is not None:
        # The other platform sees it arrive, not this one.
        device, events = await confirm_new_owner(visit.tx, device, now=visit.now)
        visit.events.extend(events)
        return _redirect(visit, device, run, place.redirection)
    if run.state not in WORKING:
        run = run.after(Event.PLACE_FOUND, visit.now)
    return _certify(visit, device, run, issued)


def _park(visit: Visit, run: Enrolment, fact: Fact) -> Enrolment:
    if PARKED.get(run.state) is fact:
        return run
    run = run.after(_MISSING[fact], visit.now)
    visit.tell_parked(run, fact)
    return run


def _redirect(visit: Visit, device: Device, run: Enrolment, redirection: Redirection) -> Outcome:
    if run.state is not State.REDIRECTED:
        run = run.after(Event.PLACE_FOUND, visit.now).after(Event.REDIRECT_GIVEN, visit.now)
        visit.tell(Name.ENROLMENT_REDIRECTED, run, url=redirection.upstream.url or "")
    return Outcome(device, run, redirection=redirection)


def _certify(visit: Visit, device: Device, run: Enrolment, issued: Sequence[Credential]) -> Outcome:
    for earlier in issued:
        # One certificate a key: also what is asked for under another request id is given once.
        if earlier.epoch == device.epoch and earlier.is_current(visit.now):
            return Outcome(device, run, earlier)
    made = visit.issuer.issue(device.id, visit.proven.csr, visit.now)
    run = run.after(Event.CERTIFICATE_ISSUED, visit.now)
    if run.epoch != device.epoch:
        run = replace(run, epoch=device.epoch)
    credential = Credential(
        fingerprint=made.fingerprint,
        device=device.id,
        enrolment=run.id,
        request_id=visit.proven.request_id,
        key_hash=visit.proven.key_hash,
        serial_number=made.serial_number,
        not_before=made.not_before,
        not_after=made.not_after,
        epoch=device.epoch,
        certificate=made.certificate,
    )
    visit.tell(
        Name.CREDENTIAL_ISSUED,
        run,
        not_after=made.not_after.isoformat(),
        credential=made.fingerprint,
    )
    return Outcome(device, run, credential)
