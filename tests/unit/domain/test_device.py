# SPDX-License-Identifier: Apache-2.0
"""A device's name is reversible and safe wherever it is written."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.domain.device import DeviceId
from homeport.errors import MalformedError

AUTHORITY = "abcdefgh234567ab"
SERIALS = st.text(min_size=1, max_size=64).filter(
    lambda text: text.isprintable() and text == text.strip()
)


@given(SERIALS)
def test_reading_gives_back_what_was_written(serial: str) -> None:
    device = DeviceId(AUTHORITY, serial)
    assert DeviceId.parse(str(device)) == device


@given(SERIALS)
def test_written_form_has_no_character_with_a_meaning_elsewhere(serial: str) -> None:
    assert not set("./+#*>$% \0") & set(str(DeviceId(AUTHORITY, serial)))


@given(st.text(max_size=200))
def test_any_text_is_an_id_or_malformed(text: str) -> None:
    with contextlib.suppress(MalformedError):
        assert str(DeviceId.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "EX-1",
        f"{AUTHORITY}EX-1",
        f"{AUTHORITY}-",
        f"{AUTHORITY}-=ff",
        f"{AUTHORITY}-=FF",
        f"{AUTHORITY}-=41",
        f"{AUTHORITY.upper()}-EX-1",
        f"{AUTHORITY}-a b",
        f"{AUTHORITY}-=20",
    ],
)
def test_unusual_forms_are_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        DeviceId.parse(text)


def test_plain_serial_numbers_stay_readable() -> None:
    assert str(DeviceId(AUTHORITY, "EX-000017")) == f"{AUTHORITY}-EX-000017"


def test_escapes_keep_different_serials_apart() -> None:
    serials = ["a.b", "a=b", "a=2Eb", "a/b", "ä", "a b"]
    assert len({str(DeviceId(AUTHORITY, serial)) for serial in serials}) == len(serials)
