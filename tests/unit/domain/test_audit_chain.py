# SPDX-License-Identifier: Apache-2.0
"""The hash chain: its vectors, and that no two trails have the same one."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.registry.trail import kept
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import DeviceId
from homeport.domain.trail.chain import (
    START,
    KeptEvent,
    canonical,
    canonical_facts,
    chained,
    digest_of,
    link,
    read_marks,
)
from homeport.domain.trail.lines import document_of, document_of_kept, kept_of_document
from homeport.errors import MalformedError

VECTORS = Path(__file__).parents[2] / "vectors" / "audit"
CASES = json.loads((VECTORS / "chain.json").read_text(encoding="utf-8"))

texts = st.text(st.characters(codec="utf-8"))
maybe = st.none() | texts
facts = st.dictionaries(texts, texts | st.integers(-(1 << 63), (1 << 63) - 1))
events = st.builds(
    KeptEvent,
    st.integers(1, (1 << 63) - 1),
    texts,
    st.integers(0, 1 << 55),
    texts,
    maybe,
    maybe,
    maybe,
    facts.map(canonical_facts),
)


def test_the_vectors_hold():
    head = START
    for case in CASES:
        event = kept_of_document(case["event"])
        assert canonical(event).decode() == case["canonical"]
        assert digest_of(event).hex() == case["digest"]
        head = link(head, event.cursor, digest_of(event))
        assert head.hex() == case["link"]
    assert len(CASES) >= 5


@given(events, events)
def test_two_events_never_share_a_form(one, other):
    same = one._replace(cursor=0) == other._replace(cursor=0)
    assert (canonical(one) == canonical(other)) == same


@given(events, st.sampled_from(["name", "actor", "facts"]), texts)
def test_what_is_put_into_one_field_cannot_pass_for_another(event, field, text):
    """Facts are put in as they stand: also text that looks like the rest of an event."""
    altered = event._replace(**{field: text})
    assert (canonical(altered) == canonical(event)) == (altered == event)


@pytest.mark.parametrize("value", [None, 7, 1.5, b"\xff", "\ud800", "]", '"'])
@pytest.mark.parametrize("field", ["name", "at", "actor", "tenant", "facts"])
def test_whatever_stands_in_a_column_has_a_digest(field, value):
    event = KeptEvent(1, "n", 1, "a", "t", None, None, "{}")
    altered = event._replace(**{field: value})
    assert digest_of(altered) != digest_of(event)


@given(facts)
def test_facts_are_kept_in_one_form(some):
    text = canonical_facts(some)
    assert json.loads(text) == some
    assert canonical_facts(dict(reversed(some.items()))) == text
    if all(ord(letter) < 0xD800 for key in some for letter in key):
        # Beyond, RFC 8785 sorts by UTF-16 and the encoder by code points; our names are ASCII.
        assert msgspec.json.encode(some, order="sorted").decode() == text


@given(st.lists(events, max_size=8, unique_by=lambda event: event.cursor), st.data())
def test_a_chain_tells_any_change(some, data):
    chain = chained(some)
    assert chain.count == len(some)
    marks = read_marks(chain.marks)
    assert marks == {event.cursor: digest_of(event)[:8] for event in some}
    changed = data.draw(st.permutations(some)) if data.draw(st.booleans()) else some[1:]
    assert (chained(changed).head == chain.head) == (changed == some)


@pytest.mark.parametrize("cursor", [0, -1, -(1 << 63), (1 << 63) - 1])
def test_a_cursor_that_a_hostile_hand_made_is_chained_too(cursor):
    event = KeptEvent(cursor, "n", 1, "a", None, None, None, "{}")
    assert read_marks(chained([event]).marks) == {cursor: digest_of(event)[:8]}


def test_marks_that_were_cut_are_read_as_far_as_they_go():
    assert read_marks(bytes(16) + b"\1\2\3") == {0: bytes(8)}


@given(events)
def test_an_event_survives_its_document(event):
    document = json.loads(json.dumps(document_of_kept(event)))
    assert digest_of(kept_of_document(document)) == digest_of(event)


def test_both_ways_to_write_a_document_agree():
    from datetime import UTC, datetime

    event = AuditEvent(
        name=Name.DEVICE_ASSIGNED,
        at=datetime(2026, 11, 24, 12, 0, 0, 5, tzinfo=UTC),
        actor="operator ann",
        tenant="acme",
        device=DeviceId("a" * 16, "SN 1"),
        enrolment="run-1",
        facts={"upstream": "here", "tenant": "acme"},
        cursor=17,
    )
    assert document_of(event) == document_of_kept(kept(event))
    assert document_of(event)["at"] == "2026-11-24T12:00:00.000005Z"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"cursor": 1},
        CASES[0]["event"] | {"cursor": "1"},
        CASES[0]["event"] | {"cursor": 1 << 64},
        CASES[0]["event"] | {"facts": {"a": "\ud800", 1: 2}},
    ],
)
def test_what_is_no_event_is_refused(document):
    with pytest.raises(MalformedError):
        kept_of_document(document)
