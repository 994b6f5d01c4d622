# SPDX-License-Identifier: Apache-2.0
"""The agent's journey from power-on to operation, as a table.

Rules: every (state, event) pair is a row or is refused; the state is on disk before anything is
done in it, so after a power cut `STARTED` says where to go on; the picture in
docs/operate/agent.md is drawn from the table. The platform has a table of its own for the same
enrolment (`homeport.domain.enrolment`): what the two say is joined by the messages, not by code.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from homeport.errors import Code, HomeportError


class State(StrEnum):
    """Where the device stands. The comment says who has the next move."""

    UNPROVISIONED = "unprovisioned"  # agent: begin
    DISCOVERING = "discovering"  # agent: find a platform that proves itself
    ENROLLING = "enrolling"  # platform: answer the request
    PARKED = "parked"  # people: supply the missing fact
    REFUSED = "refused"  # people: mend what the platform refuses
    CONNECTING = "connecting"  # broker: let us in
    OPERATIONAL = "operational"  # nobody: messages flow
    RENEWING = "renewing"  # platform: answer the renewal
    REVOKED = "revoked"  # people: readmit the device
    RESETTING = "resetting"  # agent: forget owner and LDevID


class Event(StrEnum):
    """What can happen."""

    STARTED = "started"
    PLATFORM_PROVEN = "platform-proven"
    PLATFORM_LOST = "platform-lost"
    FACT_MISSING = "fact-missing"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    CREDENTIAL_REVOKED = "credential-revoked"
    CERTIFICATE_GIVEN = "certificate-given"
    BROKER_ACCEPTED = "broker-accepted"
    BROKER_LOST = "broker-lost"
    BROKER_REFUSED = "broker-refused"
    RENEWAL_DUE = "renewal-due"
    RENEWAL_POSTPONED = "renewal-postponed"
    RENEWAL_REFUSED = "renewal-refused"
    RESET_ASKED = "reset-asked"
    FORGOTTEN = "forgotten"


ASKING: Final = frozenset(
    {State.DISCOVERING, State.ENROLLING, State.PARKED, State.REFUSED, State.REVOKED}
)
"""The states in which the device asks for a certificate with its IDevID."""

_TOLD: Final = (State.ENROLLING, State.PARKED, State.REFUSED, State.REVOKED)
"""The states in which a proven platform may answer."""

TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (State.UNPROVISIONED, Event.STARTED): State.DISCOVERING,
    (State.DISCOVERING, Event.STARTED): State.DISCOVERING,
    (State.ENROLLING, Event.STARTED): State.DISCOVERING,
    (State.PARKED, Event.STARTED): State.DISCOVERING,
    (State.REFUSED, Event.STARTED): State.DISCOVERING,
    (State.CONNECTING, Event.STARTED): State.CONNECTING,
    (State.OPERATIONAL, Event.STARTED): State.CONNECTING,
    (State.RENEWING, Event.STARTED): State.RENEWING,
    (State.REVOKED, Event.STARTED): State.REVOKED,
    (State.RESETTING, Event.STARTED): State.RESETTING,
    (State.DISCOVERING, Event.PLATFORM_PROVEN): State.ENROLLING,
    (State.ENROLLING, Event.PLATFORM_PROVEN): State.ENROLLING,
    # Who was told something keeps saying so while asking again.
    (State.PARKED, Event.PLATFORM_PROVEN): State.PARKED,
    (State.REFUSED, Event.PLATFORM_PROVEN): State.REFUSED,
    (State.REVOKED, Event.PLATFORM_PROVEN): State.REVOKED,
    (State.DISCOVERING, Event.PLATFORM_LOST): State.DISCOVERING,
    (State.ENROLLING, Event.PLATFORM_LOST): State.DISCOVERING,
    (State.PARKED, Event.PLATFORM_LOST): State.DISCOVERING,
    (State.REFUSED, Event.PLATFORM_LOST): State.REFUSED,
    (State.REVOKED, Event.PLATFORM_LOST): State.REVOKED,
    **{(state, Event.FACT_MISSING): State.PARKED for state in _TOLD},
    **{(state, Event.REDIRECTED): State.DISCOVERING for state in _TOLD},
    **{(state, Event.CERTIFICATE_GIVEN): State.CONNECTING for state in _TOLD},
    **{(state, Event.CREDENTIAL_REVOKED): State.REVOKED for state in _TOLD},
    (State.ENROLLING, Event.REFUSED): State.REFUSED,
    (State.PARKED, Event.REFUSED): State.REFUSED,
    (State.REFUSED, Event.REFUSED): State.REFUSED,
    (State.REVOKED, Event.REFUSED): State.REVOKED,
    (State.CONNECTING, Event.BROKER_ACCEPTED): State.OPERATIONAL,
    (State.CONNECTING, Event.BROKER_LOST): State.CONNECTING,
    (State.OPERATIONAL, Event.BROKER_LOST): State.CONNECTING,
    # A broker cannot say why; the platform can, to the key that asks.
    (State.CONNECTING, Event.BROKER_REFUSED): State.RENEWING,
    (State.CONNECTING, Event.RENEWAL_DUE): State.RENEWING,
    (State.OPERATIONAL, Event.RENEWAL_DUE): State.RENEWING,
    (State.RENEWING, Event.CERTIFICATE_GIVEN): State.CONNECTING,
    (State.RENEWING, Event.RENEWAL_POSTPONED): State.CONNECTING,
    # Too long expired, or issued by a platform that forgot us: the IDevID is for that.
    (State.RENEWING, Event.RENEWAL_REFUSED): State.DISCOVERING,
    (State.RENEWING, Event.CREDENTIAL_REVOKED): State.REVOKED,
    **{(state, Event.RESET_ASKED): State.RESETTING for state in State},
    (State.RESETTING, Event.FORGOTTEN): State.UNPROVISIONED,
}


def after(state: State, event: Event) -> State:
    """Return the state after the event; raise TRANSITION_ILLEGAL if it cannot happen there."""
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise HomeportError(Code.TRANSITION_ILLEGAL, f"{event} in {state}")
    return following


def diagram() -> str:
    """Draw the table as Mermaid text, for the documentation; resets and starts are told there."""
    lines = ["stateDiagram-v2", f"  [*] --> {State.UNPROVISIONED}"]
    lines += [
        f"  {state} --> {following}: {event}"
        for (state, event), following in TRANSITIONS.items()
        if event is not Event.RESET_ASKED
        if event is not Event.STARTED or state is State.UNPROVISIONED
        if state is not following
    ]
    return "\n".join(lines) + "\n"
