# SPDX-License-Identifier: Apache-2.0
"""The table of the enrolment: what holds for every state and event."""

from datetime import UTC, datetime
from itertools import product

import pytest

from homeport.domain.device import DeviceId
from homeport.domain.enrolment import (
    ADVICE,
    ENDED,
    PARKED,
    TRANSITIONS,
    Enrolment,
    Event,
    Fact,
    State,
)
from homeport.errors import Code, HomeportError

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LATER = datetime(2026, 5, 2, tzinfo=UTC)


def run(state: State) -> Enrolment:
    return Enrolment(
        id="r1",
        device=DeviceId("a" * 16, "EX-1"),
        state=state,
        request_id="q",
        key_hash="k",
        epoch=0,
        started_at=NOW,
        changed_at=NOW,
    )


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_pair_is_a_row_or_is_refused(state: State, event: Event) -> None:
    if (state, event) in TRANSITIONS:
        after = run(state).after(event, LATER)
        assert after.state is TRANSITIONS[state, event]
        assert after.changed_at == LATER
    else:
        with pytest.raises(HomeportError) as caught:
            run(state).after(event, LATER)
        assert caught.value.code is Code.TRANSITION_ILLEGAL


def reachable(start: State) -> set[State]:
    seen = {start}
    while True:
        more = {to for (frm, _), to in TRANSITIONS.items() if frm in seen} - seen
        if not more:
            return seen
        seen |= more


def test_every_state_can_be_reached() -> None:
    assert reachable(State.PROVEN) == set(State)


def test_a_run_that_ended_never_works_again_without_a_person() -> None:
    # From the ended states leads only a person's decision: a candidate accepted.
    for (state, event), to in TRANSITIONS.items():
        if state in ENDED:
            assert to in {State.AWAITING_DECISION, State.SUPERSEDED}
            assert event in {Event.SECOND_KEY_SEEN, Event.READMITTED}


def test_from_every_unfinished_state_the_device_can_still_arrive() -> None:
    for state in set(State) - ENDED:
        assert State.OPERATIONAL in reachable(state)


def test_only_the_first_message_makes_a_device_operational() -> None:
    ways = {(s, e) for (s, e), to in TRANSITIONS.items() if to is State.OPERATIONAL}
    assert ways == {
        (State.ISSUED, Event.FIRST_MESSAGE_SEEN),
        (State.OPERATIONAL, Event.CERTIFICATE_ISSUED),
    }


def test_parked_states_name_their_fact_and_each_fact_has_advice() -> None:
    assert set(PARKED.values()) == set(Fact) == set(ADVICE)
    assert {state for state in State if state.startswith("awaiting-")} == set(PARKED)


def test_arrival_is_noted_once() -> None:
    arrived = run(State.ISSUED).after(Event.FIRST_MESSAGE_SEEN, LATER)
    assert arrived.arrived_at == LATER
