# SPDX-License-Identifier: Apache-2.0
"""The agent's state table, enumerated."""

from pathlib import Path

import pytest

from homeport.agent.journey import ASKING, TRANSITIONS, Event, State, after, diagram
from homeport.errors import Code, HomeportError

PAGE = Path(__file__).parents[3] / "docs" / "operate" / "agent.md"


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_every_pair_is_a_row_or_is_refused(state, event):
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
        return
    with pytest.raises(HomeportError) as caught:
        after(state, event)
    assert caught.value.code is Code.TRANSITION_ILLEGAL


@pytest.mark.parametrize("state", State)
def test_a_start_goes_on_from_every_state(state):
    assert after(state, Event.STARTED) in {
        State.DISCOVERING, State.CONNECTING, State.RENEWING, State.REVOKED, State.RESETTING
    }  # fmt: skip


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_reset(state):
    assert after(state, Event.RESET_ASKED) is State.RESETTING


def test_every_state_can_be_reached_and_left():
    reached = {State.UNPROVISIONED} | set(TRANSITIONS.values())
    left = {state for (state, _), following in TRANSITIONS.items() if following is not state}
    assert reached == left == set(State)


@pytest.mark.parametrize("state", State)
def test_every_state_leads_to_operation(state):
    seen, growing = {state}, True
    while growing:
        following = {to for (begin, _), to in TRANSITIONS.items() if begin in seen}
        growing = not following <= seen
        seen |= following
    assert State.OPERATIONAL in seen


def test_only_a_certificate_ends_the_asking():
    ways_out = {
        event
        for (state, event), following in TRANSITIONS.items()
        if state in ASKING and following not in ASKING
    }
    assert ways_out == {Event.CERTIFICATE_GIVEN, Event.RESET_ASKED}


def test_the_picture_in_the_documentation_is_this_table():
    assert diagram() in PAGE.read_text(encoding="utf-8")
