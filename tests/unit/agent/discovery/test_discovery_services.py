# SPDX-License-Identifier: Apache-2.0
"""What the DNS-SD child prints is hostile; what is announced is bounded and holds no secret."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.agent.discovery.services import (
    MAX_LINE,
    MAX_TXT,
    Announcement,
    Service,
    parse_service,
)
from homeport.errors import MalformedError

GOOD = {"host": "Edge.local.", "port": 8443, "addresses": ["10.77.0.11", "fe80::1%eth0"]}


def line(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode() + b"\n"


def test_a_service_is_read() -> None:
    expected = Service("edge.local", 8443, ("10.77.0.11", "fe80::1%eth0"))
    assert parse_service(line()) == expected


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"null",
        b"[" * MAX_LINE,
        b'{"a":' * 600,
        b"\xff\xfe",
        b'{"host": "a", "port": 1}',
        line(path="/x"),
        line(host=""),
        line(host=None),
        line(host="a b"),
        line(host="edge.local/x"),
        line(host="user@edge.local"),
        line(host="x" * 300),
        line(port=0),
        line(port=65536),
        line(port=True),
        line(port=8443.0),
        line(port="8443"),
        line(addresses="10.77.0.11"),
        line(addresses=[1]),
        line(addresses=["edge.local"]),
        line(addresses=["0.0.0.0"]),
        line(addresses=["127.0.0.1"]),
        line(addresses=["ff02::1"]),
        line(addresses=["10.0.0.1"] * 9),
        line(host="h" + " " * MAX_LINE),
    ],
)
def test_a_service_that_is_not_as_agreed_is_malformed(bad: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_service(bad)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary() | st.fixed_dictionaries(dict.fromkeys(GOOD, json_values)).map(
    lambda found: json.dumps(found).encode()
))  # fmt: skip
def test_any_line_is_a_service_or_malformed(bad: bytes) -> None:
    try:
        parse_service(bad)
    except MalformedError:
        return


@given(
    st.text(min_size=1, max_size=400, alphabet=st.characters(codec="utf-8")),
    st.text(max_size=80, alphabet=st.characters(codec="utf-8")),
    st.lists(st.integers(1, 250).map(lambda size: "https://" + "x" * size), max_size=32),
)
def test_an_announcement_fits_its_record(model: str, serial: str, candidates: list[str]) -> None:
    announced = Announcement(model, serial, tuple(candidates))
    strings = [string.encode() for string in announced.strings()]
    assert sum(len(string) + 1 for string in strings) <= MAX_TXT
    assert all(len(string) <= 255 for string in strings)
    assert len(announced.instance.encode()) <= 63
    assert "." not in announced.instance


def test_an_announcement_names_device_and_candidates_without_the_serial_number() -> None:
    announced = Announcement("Pump 3.1", "SN-000123", ("https://a.example", "https://b.example"))
    assert announced.strings() == (
        "txtvers=1",
        "model=Pump 3.1",
        f"sn={announced.serial_hash}",
        "c0=https://a.example",
        "c1=https://b.example",
    )
    assert announced.instance == f"Pump 3-1 {announced.serial_hash[:6]}"
    assert "000123" not in "".join(announced.strings()) + announced.instance
    # printf SN-000123 | sha256sum
    assert announced.serial_hash == "06e08144e3e80f5d"
