# SPDX-License-Identifier: Apache-2.0
"""Statements are compiled once, and their values come in the driver's order."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import literal, select

from homeport.errors import Code
from homeport.storage.compiled import addition, named, query, upsert
from homeport.storage.instants import (
    to_instant,
    to_instant_or_none,
    to_micros,
    to_micros_or_none,
)
from homeport.storage.schema import audit_events, presence
from homeport.storage.verbs import drive


def test_values_are_bound_by_name_whatever_their_order():
    statement = addition(presence)
    assert statement.bind({"since": 3, "device": "d", "online": 1}) == ("d", 1, 3)
    assert statement.sql.count("?") == 3


def test_one_value_and_none():
    assert query(select(presence).where(presence.c.device == named("d"))).bind({"d": 7}) == (7,)
    assert query(select(presence)).bind({}) == ()


def test_a_value_that_is_used_twice_is_bound_twice():
    both = select(presence).where(presence.c.since.between(named("t"), named("t")))
    assert query(both).bind({"t": 5}) == (5, 5)


def test_a_missing_value_is_an_error():
    with pytest.raises(KeyError):
        addition(presence).bind({"device": "d", "online": 1})


def test_a_constant_that_would_become_a_hidden_parameter_is_refused():
    with pytest.raises(ValueError, match="literal_column"):
        query(select(presence).where(presence.c.online == literal(1)))


def test_columns_that_the_database_fills_in_are_left_out():
    assert "cursor" not in addition(audit_events, without=["cursor"]).sql


def test_an_upsert_changes_only_what_it_names():
    sql = upsert(presence, key=["device"], change=["online"], absent=Code.NOT_FOUND).sql
    assert sql.endswith("ON CONFLICT (device) DO UPDATE SET online = excluded.online")


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_survive(instant):
    assert to_instant(to_micros(instant)) == instant
    assert to_instant_or_none(to_micros_or_none(instant)) == instant


def test_instants_of_other_zones_are_the_same_instant():
    there = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert to_instant(to_micros(there)) == there
    assert to_micros_or_none(None) is None
    assert to_instant_or_none(None) is None


def test_naive_datetimes_are_refused():
    with pytest.raises(TypeError):
        to_micros(datetime(2026, 1, 1))  # noqa: DTZ001 - the point


def test_a_verb_is_driven_to_its_end():
    async def inner():
        return 21

    async def verb():
        return 2 * await inner()

    assert drive(verb()) == 42


def test_a_verb_that_suspends_is_closed_and_named():
    closed = []

    async def verb():
        try:
            await asyncio.sleep(0)
        finally:
            closed.append(True)

    with pytest.raises(RuntimeError, match="its transaction only"):
        drive(verb())
    assert closed == [True]
