# SPDX-License-Identifier: Apache-2.0
"""The table of ownership: what holds for every state and event."""

from itertools import product

import pytest

from homeport.domain.ownership import HELD, Ownership, OwnershipEvent, ownership_after
from homeport.domain.ownership.states import TRANSITIONS
from homeport.errors import Code, HomeportError


@pytest.mark.parametrize(("state", "event"), list(product(Ownership, OwnershipEvent)))
def test_every_pair_is_a_row_or_is_refused(state: Ownership, event: OwnershipEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert ownership_after(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(HomeportError, match=state) as caught:
            ownership_after(state, event)
        assert caught.value.code is Code.TRANSITION_ILLEGAL


def reachable(start: Ownership) -> set[Ownership]:
    seen = {start}
    while more := {to for (frm, _), to in TRANSITIONS.items() if frm in seen} - seen:
        seen |= more
    return seen


def test_every_state_leads_to_every_state_so_nothing_is_ever_stuck() -> None:
    for state in Ownership:
        assert reachable(state) == set(Ownership)


def test_every_event_happens_somewhere() -> None:
    assert {event for _, event in TRANSITIONS} == set(OwnershipEvent)


def test_what_has_an_owner_is_never_sold_or_claimed() -> None:
    for state in HELD:
        for event in (OwnershipEvent.SOLD, OwnershipEvent.CLAIMED, OwnershipEvent.PRESENCE_SHOWN):
            assert (state, event) not in TRANSITIONS


def test_a_claim_alone_makes_nobody_the_owner() -> None:
    assert Ownership.CLAIMED not in HELD
    ways = {event for (state, event), to in TRANSITIONS.items() if to in HELD and state not in HELD}
    assert ways == {
        OwnershipEvent.SOLD,
        OwnershipEvent.CLAIM_CONFIRMED,
        OwnershipEvent.PRESENCE_SHOWN,
    }


def test_an_offer_that_ends_leaves_the_owner_as_it_was() -> None:
    for event in (OwnershipEvent.TRANSFER_WITHDRAWN, OwnershipEvent.TRANSFER_DECLINED):
        assert ownership_after(Ownership.OFFERED, event) is Ownership.OWNED
