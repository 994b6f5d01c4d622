# SPDX-License-Identifier: Apache-2.0
"""What may stand in a document, and how much of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.domain.context.document import (
    DEPTH_MAX,
    DOCUMENT_MAX,
    WHOLE_MAX,
    check_document,
    check_patch,
    compact,
)
from homeport.errors import Code, MalformedError


def nested(levels):
    document: dict[str, Any] = {}
    for _ in range(levels - 1):
        document = {"a": document}
    return document


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"a": [None, {"b": [1.5, True, "\0\n\u202e💥"]}]},
        {"n": WHOLE_MAX, "m": -WHOLE_MAX},
        nested(DEPTH_MAX),
        {"a": "x" * (DOCUMENT_MAX - 8)},
    ],
)
def test_what_is_allowed_comes_back_as_it_is(document):
    assert check_document(document, "it") is document
    assert json.loads(compact(document)) == document


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {"a": None},
        {"a": {"b": None}},
        {"a": [{"b": None}]},
        {"": 1},
        {"x" * 129: 1},
        {1: 1},
        {"n": WHOLE_MAX + 1},
        {"n": 10**400},
        {"n": float("nan")},
        {"n": float("-inf")},
        {"s": "half \ud800"},
        {"half \ud800": 1},
        {"b": b"octets"},
        nested(DEPTH_MAX + 1),
        {"a": [[[[[[[[[[]]]]]]]]]]},
    ],
)
def test_what_others_would_read_differently_is_refused(document):
    with pytest.raises(MalformedError):
        check_document(document, "it")


def test_size_is_counted_in_octets():
    with pytest.raises(MalformedError) as refused:
        check_document({"a": "ä" * (DOCUMENT_MAX // 2)}, "it")
    assert refused.value.code is Code.TOO_LARGE


def test_a_patch_may_take_away():
    check_patch({"a": None, "b": {"c": None}}, "it")
    wrong: tuple[Any, ...] = ([], None, {"a": [{"b": None}]}, nested(DEPTH_MAX + 1))
    for patch in wrong:
        with pytest.raises(MalformedError):
            check_patch(patch, "it")


@given(st.recursive(st.none() | st.integers() | st.floats() | st.text() | st.binary(), st.lists))
def test_anything_else_is_malformed_not_an_accident(value):
    for check in (check_document, check_patch):
        with pytest.raises(MalformedError):
            check(value, "it")
