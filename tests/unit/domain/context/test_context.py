# SPDX-License-Identifier: Apache-2.0
"""A context is read as it is written, or refused with the part that is wrong."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.domain.context.context import Location, read_context
from homeport.domain.device import DeviceId
from homeport.errors import MalformedError

DEVICE = DeviceId("a" * 16, "EX-1")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
PUMP = {
    "name": "Pump 3",
    "tags": ["hall-2", "north"],
    "location": {"text": "Hall 2", "latitude": 48.1, "longitude": -11.6},
    "attributes": {"floor": 2},
}


def read(document):
    return read_context(document, device=DEVICE, tenant="acme", version=3, changed_at=NOW)


def test_reading_gives_back_what_was_written():
    context = read(PUMP)
    assert context.document() == PUMP
    assert context.location == Location(text="Hall 2", latitude=48.1, longitude=-11.6)
    assert read({}).document() == {}
    assert read({"name": "", "tags": [], "location": {}, "attributes": {}}).document() == {}
    assert read({"location": {"latitude": 0, "longitude": 0}}).document() == {
        "location": {"latitude": 0.0, "longitude": 0.0}
    }


def test_tags_are_in_order_and_each_once():
    assert read({"tags": ["b", "a", "b"]}).tags == ("a", "b")


def test_the_device_is_not_told_its_tags():
    assert read(PUMP).for_device() == {name: PUMP[name] for name in PUMP if name != "tags"}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"owner": "me"},
        {"name": None},
        {"name": 1},
        {"name": "x" * 129},
        {"name": " x"},
        {"name": "a\nb"},
        {"name": "\x1b[31mred"},
        {"name": "turned \u202e round"},
        {"name": "half \ud800"},
        {"tags": "hall"},
        {"tags": [""]},
        {"tags": [1]},
        {"tags": ["x" * 65]},
        {"tags": [str(n) for n in range(33)]},
        {"location": "Hall 2"},
        {"location": {"latitude": 1}},
        {"location": {"latitude": 91, "longitude": 0}},
        {"location": {"latitude": True, "longitude": 0}},
        {"location": {"latitude": float("nan"), "longitude": 0}},
        {"location": {"altitude": 3}},
        {"location": {"text": "x" * 257}},
        {"attributes": []},
        {"attributes": {"a": None}},
        {"attributes": {"a": "x" * 4096}},
    ],
)
def test_what_cannot_be_is_refused(document):
    with pytest.raises(MalformedError):
        read(document)


@given(st.text())
def test_any_text_is_kept_as_it_is_or_refused(text):
    try:
        context = read({"name": text, "tags": [text], "location": {"text": text}})
    except MalformedError:
        return
    assert (context.name, context.tags, context.location.text) == (text, (text,), text)
