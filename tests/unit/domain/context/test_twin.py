# SPDX-License-Identifier: Apache-2.0
"""A twin's version only grows, and a report counts once, whoever repeats it."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.domain.context.merge_patch import difference, merge
from homeport.domain.context.twin import Report, Twin
from homeport.domain.device import DeviceId
from homeport.errors import MalformedError

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TWIN = Twin(device=DeviceId("a" * 16, "EX-1"), tenant="acme", changed_at=NOW)
SECOND = timedelta(seconds=1)


def report(counter=1, series="s", **said):
    return Report(series=series, counter=counter, **said)


def test_every_change_of_what_is_told_is_a_new_version():
    told = TWIN.told({"a": 1}, NOW).told({"a": 2}, NOW)
    assert (told.version, told.desired) == (2, {"a": 2})


def test_an_owner_s_things_are_forgotten_but_the_version_goes_on():
    twin = TWIN.told({"a": 1}, NOW).as_pushed(1, "acme").after(report(document={"b": 1}), NOW)
    gone = twin.forgotten(NOW)
    assert (gone.version, gone.pushed, gone.kept_for, gone.tenant) == (2, 1, "acme", None)
    assert (gone.desired, gone.reported, gone.series, gone.applied) == ({}, {}, "", 0)


def test_a_document_replaces_and_a_patch_changes():
    first = TWIN.after(report(document={"a": 1, "b": {"c": 2}}), NOW)
    second = first.after(report(2, patch={"b": {"c": None, "d": 3}}), NOW)
    assert second.reported == {"a": 1, "b": {"d": 3}}
    assert second.after(report(3, document={"z": 0}), NOW).reported == {"z": 0}
    assert second.after(report(3, applied=0), NOW).reported == second.reported


def test_a_repetition_is_no_news():
    twin = TWIN.after(report(5), NOW)
    assert not twin.is_news(report(5), NOW + SECOND)
    assert not twin.is_news(report(4), NOW + SECOND)
    assert twin.is_news(report(6), NOW)
    assert twin.is_news(report(1, series="t"), NOW + SECOND)
    assert not twin.is_news(report(9, series="t"), NOW), "an earlier series, delivered again"


def test_a_device_cannot_have_applied_what_it_was_never_told():
    told = TWIN.told({"a": 1}, NOW)
    assert told.after(report(applied=1), NOW).applied == 1
    assert told.after(report(applied=2), NOW).applied == 0


def test_a_patch_cannot_make_a_document_that_is_too_large():
    twin = TWIN.after(report(document={"a": "x" * 5000}), NOW)
    with pytest.raises(MalformedError):
        twin.after(report(2, patch={"b": "x" * 5000}), NOW)


STATES = st.lists(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 2)), min_size=1, max_size=6
)


@given(STATES, st.data())
def test_whatever_is_repeated_the_twin_ends_where_the_device_is(states, data):
    """A series of reports as an agent makes it, delivered in order with repetitions."""
    reports = [report(1, document=states[0])]
    for number, (old, new) in enumerate(itertools.pairwise(states), 2):
        reports.append(report(number, patch=difference(old, new)))
    twin = replace(TWIN, reported={"old": 1}, series="before", counter=9, reported_at=NOW)
    for number, each in enumerate(reports):
        again = data.draw(st.lists(st.sampled_from(reports[: number + 1]), max_size=2))
        for taken in (each, *again):
            if twin.is_news(taken, NOW + SECOND):
                twin = twin.after(taken, NOW + SECOND)
    assert twin.reported == states[-1] == merge({}, states[-1])
