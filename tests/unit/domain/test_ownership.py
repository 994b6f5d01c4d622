# SPDX-License-Identifier: Apache-2.0
"""Ranges of serial numbers mean what a sales person thinks that they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.domain.ownership import SerialRange
from homeport.errors import MalformedError

NUMBERS = st.integers(min_value=0, max_value=9999)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_a_range_holds_exactly_the_numbers_between_its_ends(a: int, b: int, n: int) -> None:
    low, high = sorted((a, b))
    serials = SerialRange(f"EX-{low:06}", f"EX-{high:06}")
    assert (f"EX-{n:06}" in serials) == (low <= n <= high)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_overlap_is_symmetric_and_true(a: int, b: int, c: int, d: int) -> None:
    one = SerialRange(*(f"P{n:04}" for n in sorted((a, b))))
    two = SerialRange(*(f"P{n:04}" for n in sorted((c, d))))
    shared = max(min(a, b), min(c, d)) <= min(max(a, b), max(c, d))
    assert one.overlaps(two) == two.overlaps(one) == shared


@pytest.mark.parametrize(
    ("first", "last"), [("A1", "B2"), ("A9", "A10"), ("A2", "A1"), ("x", "y"), ("A1x", "A2x")]
)
def test_what_cannot_be_counted_is_refused(first: str, last: str) -> None:
    with pytest.raises(MalformedError):
        SerialRange(first, last)


def test_another_width_or_letter_is_outside() -> None:
    serials = SerialRange("EX-001", "EX-200")
    assert "EX-0100" not in serials
    assert "EX-1A0" not in serials
    assert "EX-100" in serials


def test_one_serial_number_needs_no_digits() -> None:
    assert "lamp" in SerialRange("lamp", "lamp")
    assert "lama" not in SerialRange("lamp", "lamp")
