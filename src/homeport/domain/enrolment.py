# SPDX-License-Identifier: Apache-2.0
"""The enrolment: one device's run from first contact to its first message upstream, as a table.

Rules: events carry no I/O and no protocol; every (state, event) pair is a row or is refused; the
picture in docs/reference/enrolment.md is drawn from the table; each protocol's answer is a `match`
over the states with no default.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError


class State(StrEnum):
    """Where an enrolment stands. The comment says who has the next move."""

    PROVEN = "proven"  # platform: look for the owner
    AWAITING_OWNER = "awaiting-owner"  # people: sell or assign it
    AWAITING_UPSTREAM = "awaiting-upstream"  # people: name an upstream, or bring a voucher for it
    AWAITING_DECISION = "awaiting-decision"  # people: is the second key the same device?
    ASSIGNED = "assigned"  # platform: certify or redirect
    ISSUED = "issued"  # device: say the first word upstream
    REDIRECTED = "redirected"  # device: enrol at the other platform
    OPERATIONAL = "operational"  # nobody
    SUPERSEDED = "superseded"  # nobody: a later run took its place
    REFUSED = "refused"  # nobody
    REVOKED = "revoked"  # people: readmit it


class Event(StrEnum):
    """What happens to an enrolment."""

    SECOND_KEY_SEEN = "second-key-seen"
    CANDIDATE_ACCEPTED = "candidate-accepted"
    CANDIDATE_REFUSED = "candidate-refused"
    OWNER_MISSING = "owner-missing"
    UPSTREAM_MISSING = "upstream-missing"
    PLACE_FOUND = "place-found"
    CERTIFICATE_ISSUED = "certificate-issued"
    REDIRECT_GIVEN = "redirect-given"
    FIRST_MESSAGE_SEEN = "first-message-seen"
    LATER_RUN_BEGUN = "later-run-begun"
    CREDENTIAL_REVOKED = "credential-revoked"
    READMITTED = "readmitted"


class Fact(StrEnum):
    """What a parked enrolment waits for."""

    OWNER = "owner"
    UPSTREAM = "upstream"
    DECISION = "decision"


_LOOKING: Final = (State.PROVEN, State.AWAITING_OWNER, State.AWAITING_UPSTREAM)
_UNFINISHED: Final = (*_LOOKING, State.AWAITING_DECISION, State.ASSIGNED)
_PLACED: Final = (State.ISSUED, State.OPERATIONAL, State.REDIRECTED)

TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (State.PROVEN, Event.SECOND_KEY_SEEN): State.AWAITING_DECISION,
    (State.AWAITING_DECISION, Event.CANDIDATE_ACCEPTED): State.PROVEN,
    (State.AWAITING_DECISION, Event.CANDIDATE_REFUSED): State.REFUSED,
    **{(state, Event.OWNER_MISSING): State.AWAITING_OWNER for state in (*_LOOKING, *_PLACED)},
    **{(state, Event.UPSTREAM_MISSING): State.AWAITING_UPSTREAM for state in (*_LOOKING, *_PLACED)},
    # From a place the device may be sent to another one: its upstream was changed.
    **{(state, Event.PLACE_FOUND): State.ASSIGNED for state in (*_LOOKING, *_PLACED)},
    (State.ASSIGNED, Event.CERTIFICATE_ISSUED): State.ISSUED,
    (State.ASSIGNED, Event.REDIRECT_GIVEN): State.REDIRECTED,
    (State.ISSUED, Event.FIRST_MESSAGE_SEEN): State.OPERATIONAL,
    # The same key once more, under another request id or after expiry: the run stays where it is.
    (State.ISSUED, Event.CERTIFICATE_ISSUED): State.ISSUED,
    (State.OPERATIONAL, Event.CERTIFICATE_ISSUED): State.OPERATIONAL,
    # A key that was superseded and comes back: the identity is in use at two places.
    (State.SUPERSEDED, Event.SECOND_KEY_SEEN): State.AWAITING_DECISION,
    (State.REVOKED, Event.READMITTED): State.SUPERSEDED,
    **{(state, Event.LATER_RUN_BEGUN): State.SUPERSEDED for state in (*_UNFINISHED, *_PLACED)},
    **{(state, Event.CREDENTIAL_REVOKED): State.REVOKED for state in (*_UNFINISHED, *_PLACED)},
}

PARKED: Final[Mapping[State, Fact]] = {
    State.AWAITING_OWNER: Fact.OWNER,
    State.AWAITING_UPSTREAM: Fact.UPSTREAM,
    State.AWAITING_DECISION: Fact.DECISION,
}
"""The states in which the device is told to ask again, and the fact that it waits for."""

WORKING: Final = frozenset({State.ISSUED, State.OPERATIONAL})
"""The states in which the device has a certificate of ours and a place for its messages."""

ENDED: Final = frozenset({State.SUPERSEDED, State.REFUSED, State.REVOKED})
"""The states in which the run gets nothing any more."""

ADVICE: Final[Mapping[Fact, str]] = {
    Fact.OWNER: "Say whose it is: homeport device assign {serial_number} --tenant NAME,"
    " or import the sales records.",
    Fact.UPSTREAM: "Its upstream cannot take it yet: import a voucher for it"
    " (homeport voucher import FILE), or assign another upstream.",
    Fact.DECISION: "A second key asks for the identity of a device that is running. If it was"
    " reset or repaired: homeport device accept {serial_number}. If not, it may be a copy:"
    " homeport device refuse {serial_number}.",
}
"""What supplies each missing fact; `advice_on` fills it in."""


_READMIT: Final = (
    "It was revoked, and gets nothing. If that was a mistake, or is over:"
    " homeport device readmit {serial_number}."
)

SHOWN_KEY: Final = 16
"""Digits of a key's hash that tell a device's keys apart."""


def advice_on(fact: Fact, device: DeviceId) -> str:
    """What supplies the missing fact, for people; the device is told only the fact's name.

    It holds commands that people copy into a shell, so the serial number is quoted for one.
    """
    return ADVICE[fact].format(serial_number=shlex.quote(device.serial_number))


def next_steps(
    device: DeviceId, run: "Enrolment | None", candidates: Sequence["Enrolment"]
) -> list[str]:
    """What people can do about the device now, each step once; `candidates` wait for a decision."""
    if run is not None and run.state is State.REVOKED:
        # What waits is decided on after that: an accepted key would be refused all the same.
        return [_READMIT.format(serial_number=shlex.quote(device.serial_number))]
    waiting = {PARKED[each.state] for each in (run, *candidates) if each and each.state in PARKED}
    steps = [advice_on(fact, device) for fact in Fact if fact in waiting]
    if len(candidates) > 1:
        keys = ", ".join(each.key_hash[:SHOWN_KEY] for each in candidates)
        steps.append(f"Several keys wait: say which one with --key, one of {keys}.")
    return steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """One run of one device."""

    id: str
    device: DeviceId
    state: State
    request_id: str
    """The device's own id of its request; a repeated request has the same."""
    key_hash: str
    """SHA-256 of the operational key that it wants certified, hex."""
    epoch: int
    """Ownership epoch under which it was last looked at."""
    started_at: datetime
    changed_at: datetime
    arrived_at: datetime | None = None
    """When the first message was seen at the upstream."""

    def after(self, event: Event, now: datetime) -> "Enrolment":
        """Return the enrolment after the event, or raise HomeportError(TRANSITION_ILLEGAL)."""
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise HomeportError(Code.TRANSITION_ILLEGAL, f"{event} in {self.state}")
        arrives = state is State.OPERATIONAL and self.arrived_at is None
        # In full and not by `replace`, which takes four times as long: this is every enrolment.
        return Enrolment(
            id=self.id,
            device=self.device,
            state=state,
            request_id=self.request_id,
            key_hash=self.key_hash,
            epoch=self.epoch,
            started_at=self.started_at,
            changed_at=now,
            arrived_at=now if arrives else self.arrived_at,
        )
