# SPDX-License-Identifier: Apache-2.0
"""RFC 7396, its own examples and its inverse."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.domain.context.merge_patch import difference, is_same, merge

RFC_7396_APPENDIX_A = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
EXAMPLE = {
    "title": "Goodbye!",
    "author": {"givenName": "John", "familyName": "Doe"},
    "tags": ["example", "sample"],
    "content": "This will be unchanged",
}
LEAVES = st.one_of(st.booleans(), st.integers(-9, 9), st.floats(-2, 2), st.text(max_size=3))
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(st.none() | inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text("abc", min_size=1, max_size=1), VALUES, max_size=3)


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7396_APPENDIX_A)
def test_the_examples_of_appendix_a(target, patch, result):
    before = copy.deepcopy((target, patch))
    assert merge(target, patch) == result
    assert (target, patch) == before, "neither is altered"


def test_the_example_of_section_3():
    patch = {
        "title": "Hello!",
        "phoneNumber": "+01-123-456-7890",
        "author": {"familyName": None},
        "tags": ["example"],
    }
    assert merge(EXAMPLE, patch) == {
        "title": "Hello!",
        "author": {"givenName": "John"},
        "tags": ["example"],
        "content": "This will be unchanged",
        "phoneNumber": "+01-123-456-7890",
    }


@given(DOCUMENTS, DOCUMENTS)
def test_a_difference_leads_from_one_to_the_other(old, new):
    patch = difference(old, new)
    assert is_same(merge(old, patch), new)
    assert bool(patch) != is_same(old, new)


@given(DOCUMENTS)
def test_there_is_no_difference_to_itself(document):
    assert difference(document, copy.deepcopy(document)) == {}


def test_true_is_not_one():
    assert difference({"a": 1, "b": [0]}, {"a": True, "b": [False]}) == {"a": True, "b": [False]}
    assert difference({"a": 1}, {"a": 1.0}) == {}
