# SPDX-License-Identifier: Apache-2.0
"""With a million devices nothing is searched through from end to end: SQLite's own plans say so."""

import importlib
import pkgutil
import sqlite3
from contextlib import closing
from itertools import product

import pytest

from homeport.domain.enrolment import State
from homeport.storage import parts
from homeport.storage.compiled import BATCH, Statement
from homeport.storage.parts.ownership.sales import _beginning_with
from homeport.storage.parts.search import Looked, Way, _edge, _rows
from homeport.storage.parts.trail.search import _Shape, _statement
from homeport.storage.schema import COMMON
from homeport.storage.upgrade import prepare

SMALL = {
    "authorities._ALL",
    "tenants._ALL",
    "upstreams._ALL",
    "people.accounts._OPERATORS",
    "life.commands._OVERDUE",
    "life.quarantines._TO_ENFORCE",
}
"""Tables with a handful of rows, who the operators are, commands without an answer, quarantines."""

OF_THE_QUESTION = {f"SCAN {BATCH} CONSTANT ROWS", "SCAN asked"}
"""Rows that the question brings along."""

SORTED = {
    "devices._FIND",
    "enrolments._LATEST",
    "enrolments._CANDIDATES",
    "credentials._OF_DEVICE",
    "people.members._OF_TENANT",
}
"""A serial number has few devices, a device few runs and credentials, a tenant few members: sorting
them is nothing."""


OF_FEW = "trail.search._statement(of few devices"
"""Sorted, because they are few."""
VIEWERS = ("all", "own", "owned", "of few devices")


def statements():
    for module in pkgutil.walk_packages(parts.__path__, f"{parts.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Statement):
                yield f"{module.name.removeprefix(parts.__name__ + '.')}.{name}", value
    for state in (state for state in State if state not in COMMON):
        way = Way(is_of_tenant=False, state=state)
        yield f"search._edge({state})", _edge(way)
        yield f"search._rows({state})", _rows(way, Looked(state, True, True, True, True, True))
    for name in ("all", "tenant"):
        way = Way(is_of_tenant=name == "tenant")
        yield f"search._edge({name})", _edge(way)
        yield f"search._rows({name})", _rows(way, Looked())
        looked = Looked(State.OPERATIONAL, False, False, True, True, True)
        yield f"search._rows({name}, looked at)", _rows(way, looked)
    yield "sales._beginning_with(13)", _beginning_with(13)
    for viewer, column, newest in product(VIEWERS, ("device", "actor"), (0, 1)):
        shape = _Shape(viewer, 2, frozenset({column}), since=True, newest_first=bool(newest))
        yield f"trail.search._statement({viewer}, {column}, {newest})", _statement(shape)


STATEMENTS = dict(statements())


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("plans") / "registry.db"
    prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def plan(database, statement):
    rows = database.execute(
        f"EXPLAIN QUERY PLAN {statement.sql}", [None] * statement.sql.count("?")
    )
    return [row[3] for row in rows]


@pytest.mark.parametrize("newest", [0, 1])
def test_a_small_tenants_question_goes_by_its_devices(database, newest):
    steps = plan(database, STATEMENTS[f"{OF_FEW}, actor, {newest})"])
    assert [step for step in steps if "ix_audit_events_device (device=? AND cursor" in step]


def test_there_are_statements_to_look_at():
    assert len(STATEMENTS) > 35


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_reads_a_whole_table(database, name):
    steps = plan(database, STATEMENTS[name])
    if name not in SMALL:
        read = [step for step in steps if step.startswith("SCAN")]
        assert not [step for step in read if step not in OF_THE_QUESTION]


@pytest.mark.parametrize("name", STATEMENTS)
def test_what_is_long_comes_sorted_from_its_index(database, name):
    steps = plan(database, STATEMENTS[name])
    sorts = [step for step in steps if "TEMP B-TREE" in step]
    if name not in SORTED and not name.startswith(("search._rows", "sales.", OF_FEW)):
        assert not sorts


@pytest.mark.parametrize("state", [state for state in State if state not in COMMON])
@pytest.mark.parametrize("part", ["edge", "rows"])
def test_what_is_in_a_rare_state_is_found_by_it(database, state, part):
    steps = plan(database, STATEMENTS[f"search._{part}({state})"])
    assert [step for step in steps if "ix_enrolments_state (state=? AND device>?" in step]


@pytest.mark.parametrize("part", ["edge", "rows"])
@pytest.mark.parametrize(
    ("way", "index"),
    [("all", "ix_devices_serial_number ("), ("tenant", "ix_devices_tenant (tenant=? AND ")],
)
def test_a_list_begins_and_ends_in_its_index(database, part, way, index):
    steps = plan(database, STATEMENTS[f"search._{part}({way})"])
    assert f"{index}(serial_number,id)>(?,?) AND (serial_number,id)<(?,?))" in steps[0]


@pytest.mark.parametrize("name", [name for name in STATEMENTS if name.startswith("search.")])
def test_only_the_few_runs_of_one_device_are_sorted(database, name):
    steps = plan(database, STATEMENTS[name])
    assert steps.count("USE TEMP B-TREE FOR ORDER BY") == name.startswith("search._rows")
