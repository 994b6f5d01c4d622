# SPDX-License-Identifier: Apache-2.0
"""Contexts as CSV: read as they were written, tried, taken whole or line by line."""

import csv
import io
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.in_loop import in_loop
from fakes.registry import FakeRegistry
from homeport.domain.context.context import Context, Location
from homeport.domain.context.document import check_document
from homeport.domain.context.schema import ModelSchema
from homeport.domain.device import Device, DeviceId
from homeport.domain.tenant import Tenant
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.imports import contexts as importing
from homeport.provisioning.imports.cells import (
    cell_of,
    tags_cell,
    tags_of,
    text_cell,
    text_of,
    value_of,
)
from homeport.provisioning.imports.context_file import (
    ContextLine,
    lines_of,
    read_contexts,
    write_contexts,
)
from homeport.provisioning.imports.contexts import (
    ContextLinesError,
    ContextReport,
    Way,
    import_contexts,
)
from homeport.provisioning.imports.sales_file import LineFault

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LINES = st.text(max_size=9).filter(lambda text: text == text.strip() and text.isprintable())
VALUES = st.one_of(
    st.text(max_size=9), st.integers(-99, 99), st.floats(-9, 9), st.booleans(),
    st.lists(st.text(max_size=3) | st.integers(), max_size=3),
    st.sampled_from(["null", "true", "1", "1e5", "007", "=1+1", "-1", '"', "[", "a;b", "", "NaN"]),
)  # fmt: skip


def faults(text):
    found = list(read_contexts(io.StringIO(text, newline="")))
    return [(each.line, each.reason) for each in found if not isinstance(each, ContextLine)]


@given(VALUES)
def test_a_value_comes_back_as_it_was(value):
    try:
        check_document({"a": value}, "it")
    except MalformedError:
        return
    again = value_of(cell_of(value), None)
    assert (again, type(again)) == (value, type(value))
    if isinstance(value, str):
        assert value_of(cell_of(value), "string") == value
        assert text_of(text_cell(value)) == value


@given(st.lists(LINES.filter(bool), max_size=4))
def test_tags_come_back_as_they_were(tags):
    assert tags_of(tags_cell(tags)) == tags


@given(VALUES, st.lists(LINES.filter(bool), max_size=3))
def test_no_cell_is_a_formula(value, tags):
    for cell in (cell_of(value), tags_cell(tags)):
        assert isinstance(value, int | float) or not cell.startswith(("=", "+", "-", "@", "\t"))


@given(LINES, LINES, st.dictionaries(st.sampled_from("ab"), VALUES, max_size=2))
def test_a_context_comes_back_as_it_was(name, place, attributes):
    try:
        check_document(attributes, "it")
    except MalformedError:
        return
    context = Context(
        device=DeviceId("a" * 16, "00012"),
        tenant="acme",
        name=name,
        tags=("a;b", "c"),
        location=Location(text=place, latitude=-48.5, longitude=11),
        attributes=attributes,
        changed_at=NOW,
    )
    (line,) = read_contexts(io.StringIO("".join(write_contexts([context])), newline=""))
    assert isinstance(line, ContextLine)
    assert (line.serial_number, line.authority) == ("00012", "a" * 16)
    said = line.patch({})
    assert said.get("attributes", {}) == attributes
    assert said.get("name", "") == name
    assert said["location"].get("text", "") == place
    assert said["location"]["latitude"] == -48.5


def test_cells_mean_what_the_schema_says():
    assert value_of("007", "string") == "007"
    assert value_of("12", "string") == "12"
    assert value_of("12", "integer") == 12
    assert value_of("12", None) == 12
    assert value_of('"12"', None) == "12"
    assert value_of("null", "string") is None
    assert value_of("NaN", None) == "NaN"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("name\nx\n", 1),
        ("serial_number,colour\nEX-1,x\n", 1),
        ("serial_number,name,name\n", 1),
        ("serial_number,name\nEX-1\n", 2),
        ("serial_number\n\x1b[31m\n", 2),
        ("serial_number,authority\nEX-1,../etc\n", 2),
        ('serial_number,name\n"EX-1,x\n', 2),
        ('serial_number\n"""EX-1"\n', 2),
        ("serial_number," + ",".join(f"attributes.a{n}" for n in range(250)) + "\n", 1),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text, line):
    assert [number for number, _ in faults(text)] == [line]


class World:
    def __init__(self):
        self.registry = FakeRegistry()
        rows = self.registry.rows
        rows.tenants["acme"] = Tenant(name="acme", title="", default_upstream="x", added_at=NOW)
        one = Device(
            id=DeviceId("a" * 16, "EX-1"), model="pump", hardware_identity="file", minted=True,
            idevid_fingerprint=None, tenant="acme", epoch=1, registered_at=NOW,
        )  # fmt: skip
        others = (
            replace(one, id=DeviceId("a" * 16, "EX-2")),
            replace(one, id=DeviceId("b" * 16, "EX-2")),
            replace(one, id=DeviceId("a" * 16, "EX-3"), tenant="bolt"),
        )
        for device in (one, *others):
            rows.devices[device.id] = device
        rows.schemas.append(
            ModelSchema(
                tenant="acme", model="pump", version=1, added_at=NOW, added_by="ann",
                document={"type": "object", "properties": {"floor": {"type": "integer"}}},
            )
        )  # fmt: skip

    async def take(self, text: str, **way: bool) -> ContextReport:
        lines = read_contexts(io.StringIO(text, newline=""))
        return await import_contexts(self.registry, "acme", lines, Way(**way), actor="ann", now=NOW)

    def named(self) -> dict[str, str]:
        return {str(d)[-4:]: c.name for d, c in self.registry.rows.contexts.items()}


GOOD = f"serial_number,authority,name,attributes.floor\nEX-1,,Pump,2\nEX-2,{'b' * 16},Fan,\n"
MIXED = GOOD + "EX-2,,Which,\nEX-3,,Foreign,\nEX-1,,Pump,high\nEX-9,,Nobody,\n"


@in_loop
async def test_a_file_is_taken_and_again_changes_nothing():
    world = World()
    report = await world.take(GOOD)
    assert (report.lines, report.changed, report.faults) == (2, 2, [])
    assert world.named() == {"EX-1": "Pump", "EX-2": "Fan"}
    assert (await world.take(GOOD)).changed == 0


@in_loop
async def test_one_wrong_line_keeps_all_out_and_every_one_is_told():
    world = World()
    with pytest.raises(ContextLinesError) as refused:
        await world.take(MIXED)
    assert refused.value.code is Code.CONTEXT_LINES_WRONG
    assert [fault.line for fault in refused.value.faults] == [4, 5, 6, 7]
    reasons = [fault.reason for fault in refused.value.faults]
    assert "authority" in reasons[0]
    assert reasons[1] == "acme has no device EX-3"
    assert "floor" in reasons[2]
    assert world.named() == {}


@in_loop
async def test_the_good_lines_can_be_taken_alone(monkeypatch):
    monkeypatch.setattr(importing, "GROUP", 2)
    world = World()
    report = await world.take(MIXED, good_lines=True)
    assert (report.lines, report.changed) == (6, 2)
    assert len(report.faults) == 4
    assert world.named() == {"EX-1": "Pump", "EX-2": "Fan"}


@in_loop
async def test_a_dry_run_says_what_would_happen_and_does_nothing():
    world = World()
    before = world.registry.rows.copy()
    for way in ({}, {"good_lines": True}):
        report = await world.take(MIXED, dry_run=True, **way)
        assert (report.changed, len(report.faults)) == (2, 4)
    assert world.registry.rows == before


@in_loop
async def test_all_or_none_has_a_limit(monkeypatch):
    monkeypatch.setattr(importing, "ALL_OR_NONE_MAX", 1)
    world = World()
    with pytest.raises(HomeportError) as refused:
        await world.take(GOOD)
    assert refused.value.code is Code.TOO_LARGE
    assert world.named() == {}


@in_loop
async def test_of_many_wrong_lines_the_first_are_named_and_all_are_counted(monkeypatch):
    monkeypatch.setattr(importing, "FAULTS_KEPT", 2)
    world = World()
    report = await world.take(MIXED, good_lines=True)
    assert (report.wrong, [fault.line for fault in report.faults]) == (4, [4, 5])
    with pytest.raises(ContextLinesError):
        await world.take(MIXED)


@in_loop
async def test_lines_are_read_beside_the_event_loop():
    here = threading.get_ident()
    read_by = set()

    def lines():
        for line in read_contexts(io.StringIO(GOOD, newline="")):
            read_by.add(threading.get_ident())
            yield line

    for way in (Way(), Way(good_lines=True)):
        await import_contexts(World().registry, "acme", lines(), way, actor="ann", now=NOW)
    assert here not in read_by


@in_loop
async def test_a_cell_nested_without_end_is_a_wrong_line():
    deep = "[" * 30_000
    head = "serial_number,attributes.x,tags\n"
    report = await World().take(f"{head}EX-1,{deep},\nEX-1,,{deep}\n", good_lines=True)
    assert [fault.line for fault in report.faults] == [2, 3]
    assert value_of(cell_of(deep), None) == deep


def test_a_line_without_end_is_not_held_in_memory():
    file = io.StringIO("serial_number,name\nEX-1,x\nEX-1," + "a" * 1_000_000, newline="")
    good, fault = read_contexts(lines_of(file))
    assert isinstance(good, ContextLine)
    assert isinstance(fault, LineFault)
    assert file.tell() < 100_000


def test_what_is_written_is_csv():
    context = Context(
        device=DeviceId("a" * 16, "EX-1"), tenant="acme", name='a,"b"', changed_at=NOW
    )
    rows = list(csv.reader(io.StringIO("".join(write_contexts([context])), newline="")))
    assert rows[1][:3] == ["EX-1", "a" * 16, 'a,"b"']
