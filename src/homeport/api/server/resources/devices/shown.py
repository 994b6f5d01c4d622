# SPDX-License-Identifier: Apache-2.0
"""What is shown of a device."""

from collections.abc import Sequence
from typing import Any

from homeport.api.server.ask import Ask
from homeport.api.wire.devices import (
    Candidate,
    Credential,
    Device,
    DeviceDetails,
    Quarantine,
)
from homeport.domain import credential, device
from homeport.domain.enrolment import PARKED, Enrolment, next_steps
from homeport.provisioning.ports import NEVER_SEEN, Listed, Presence, Transaction


def listed(row: Listed, *, is_held: bool) -> Device:
    """Show a device in a list."""
    return Device(**_facts(row.device, row.run, row.presence), quarantined=is_held)


async def detailed(tx: Transaction, ask: Ask, shown: device.Device) -> DeviceDetails:
    """Show one device, as it is now, and tag the answer with what people can change of it."""
    run = await tx.enrolments.latest(shown.id)
    candidates = await tx.enrolments.candidates(shown.id)
    issued = await tx.credentials.of_device(shown.id)
    facts = _facts(shown, run, await tx.presence.get(shown.id))
    held = await tx.quarantines.get(shown.id)
    details = DeviceDetails(
        **facts,
        candidates=[Candidate(key=each.key_hash, since=each.changed_at) for each in candidates],
        credentials=[_credential(each) for each in _of_present_owner(ask, shown, issued)],
        advice=next_steps(shown.id, run, candidates),
        quarantined=held is not None,
        quarantine=Quarantine(by=held.by, reason=held.reason, since=held.since) if held else None,
    )
    ask.tag(*changeable(details))
    return details


def changeable(details: DeviceDetails) -> tuple[object, ...]:
    """Return what an ETag of a device vouches for: its owner and place, its run, its candidates."""
    keys = [candidate.key for candidate in details.candidates]
    ours = (details.tenant, details.upstream, details.epoch, details.ownership)
    return (*ours, details.quarantined, details.state, details.since.isoformat(), keys)


def _facts(shown: device.Device, run: Enrolment | None, seen: Presence | None) -> dict[str, Any]:
    return {
        "id": str(shown.id),
        "serial_number": shown.id.serial_number,
        "model": shown.model,
        "hardware_identity": shown.hardware_identity,
        "minted": shown.minted,
        "state": run.state if run else NEVER_SEEN,
        "missing": PARKED.get(run.state) if run else None,
        "tenant": shown.tenant,
        "upstream": shown.upstream,
        "epoch": shown.epoch,
        "ownership": shown.ownership,
        "since": run.changed_at if run else shown.registered_at,
        "online": seen.online if seen else None,
        "online_since": seen.since if seen else None,
    }


def _of_present_owner(
    ask: Ask, shown: device.Device, issued: Sequence[credential.Credential]
) -> Sequence[credential.Credential]:
    """What a former owner's device had is not for the next owner to see."""
    if ask.caller.is_operator:
        return issued
    return [each for each in issued if each.epoch == shown.epoch]


def _credential(issued: credential.Credential) -> Credential:
    return Credential(
        fingerprint=issued.fingerprint, state=issued.state, not_after=issued.not_after
    )
