# SPDX-License-Identifier: Apache-2.0
import pytest

from homeport.api.server.etags import demand_match, tag_of
from homeport.errors import Code, HomeportError

TAG = tag_of("acme", {"b": 1, "a": None})


def test_a_tag_is_made_of_the_facts_alone():
    assert tag_of("acme", {"a": None, "b": 1}) == TAG
    assert tag_of("acme", {"a": None, "b": 2}) != TAG
    assert TAG.startswith('W/"')


@pytest.mark.parametrize(
    "if_match", [None, "*", TAG, TAG.removeprefix("W/"), f'"other", {TAG}', f'{TAG} ,W/"x"']
)
def test_who_has_seen_the_present_may_change_it(if_match):
    demand_match(if_match, TAG, "tenant acme")


@pytest.mark.parametrize("if_match", ["", '"other"', 'W/""', TAG[:-2]])
def test_who_has_not_is_refused(if_match):
    with pytest.raises(HomeportError) as caught:
        demand_match(if_match, TAG, "tenant acme")
    assert caught.value.code is Code.CHANGED_MEANWHILE
