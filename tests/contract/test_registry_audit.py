# SPDX-License-Identifier: Apache-2.0
"""Searching the audit trail, events as they are kept, and the heads of the chain."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from contract.registry_suite import (
    LATER,
    add_tenants,
    device,
    device_id,
    event,
    finished,
    in_child,
    opened,
)
from fakes.registry.trail import kept
from homeport.domain.audit import Name, Wanted
from homeport.domain.trail.chain import KeptEvent
from homeport.errors import Code, MalformedError
from homeport.provisioning.ports import SealedHead
from homeport.storage.parts.trail import search as searching
from homeport.storage.sqlite import SqliteRegistry

__all__ = ["opened"]  # a fixture

OURS, THEIRS, NOBODYS = device_id("SN-0001"), device_id("SN-0002"), device_id("SN-0003")

EVENTS = [
    event(Name.TENANT_ADDED, tenant="acme"),  # 1
    event(Name.DEVICE_REGISTERED, device=OURS),  # 2: acme's device, before it was sold
    event(Name.DEVICE_REGISTERED, device=THEIRS),  # 3
    event(Name.DEVICE_REGISTERED, device=NOBODYS),  # 4
    event(Name.DEVICE_ASSIGNED, device=OURS, tenant="bolt", actor="ann"),  # 5: a former owner's
    event(Name.DEVICE_ASSIGNED, device=OURS, tenant="acme", actor="ann"),  # 6
    event(Name.DEVICE_ASSIGNED, device=THEIRS, tenant="bolt", at=LATER),  # 7
    event(Name.MANIFEST_IMPORTED, at=LATER),  # 8: the platform's own
]


@pytest.fixture
def told(opened):
    async def verb(tx):
        await add_tenants(tx)
        await tx.devices.put(device("SN-0001", tenant="acme"))
        await tx.devices.put(device("SN-0002", tenant="bolt"))
        await tx.devices.put(device("SN-0003"))
        await tx.audit.record(*EVENTS)

    opened.do(verb)
    return opened


def found(opened, after=None, limit=100, newest_first=False, **wanted):
    if "tenants" in wanted:
        wanted["tenants"] = frozenset(wanted["tenants"])
    events = opened.see(
        lambda tx: tx.audit.search(
            Wanted(**wanted), after=after, limit=limit, newest_first=newest_first
        )
    )
    return [each.cursor for each in events]


@pytest.mark.parametrize(
    ("wanted", "cursors"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"tenants": {"acme"}}, [1, 2, 6]),
        ({"tenants": {"bolt"}}, [3, 5, 7]),
        ({"tenants": {"acme", "bolt"}}, [1, 2, 3, 5, 6, 7]),
        ({"tenants": {"coil"}}, []),
        ({"tenants": set()}, []),
        ({"device": OURS}, [2, 5, 6]),
        ({"device": OURS, "tenants": {"acme"}}, [2, 6]),
        ({"device": NOBODYS, "tenants": {"acme", "bolt"}}, []),
        ({"names": {Name.DEVICE_ASSIGNED, Name.TENANT_ADDED}}, [1, 5, 6, 7]),
        ({"names": frozenset(Name)}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"actor": "ann", "tenants": {"acme"}}, [6]),
        ({"since": LATER}, [7, 8]),
        ({"since": LATER + timedelta(microseconds=1)}, []),
        ({"since": LATER, "tenants": {"bolt"}, "names": {Name.DEVICE_ASSIGNED}}, [7]),
    ],
)
def test_a_search_finds_what_is_wanted_in_both_orders(told, wanted, cursors):
    wanted = {k: frozenset(v) if isinstance(v, set) else v for k, v in wanted.items()}
    assert found(told, **wanted) == cursors
    assert found(told, **wanted, newest_first=True) == cursors[::-1]


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_tenant_of_many_devices_finds_the_same(told, monkeypatch, newest_first):
    asked = {"tenants": {"acme", "bolt"}, "after": 4, "newest_first": newest_first}
    of_few = found(told, **asked)
    monkeypatch.setattr(searching, "FEW", 0)
    assert found(told, **asked) == of_few != []


def test_a_search_goes_on_from_a_cursor(told):
    assert found(told, after=2, limit=2, tenants={"acme", "bolt"}) == [3, 5]
    assert found(told, after=5, limit=2, tenants={"acme", "bolt"}) == [6, 7]
    assert found(told, after=6, limit=3, tenants={"bolt"}, newest_first=True) == [5, 3]


def test_a_filter_says_the_same_as_a_search(told):
    everything = told.see(lambda tx: tx.audit.search(Wanted(), after=None, limit=100))
    owners = {OURS: "acme", THEIRS: "bolt"}
    for tenants in ({"acme"}, {"bolt"}, {"acme", "bolt"}, set()):
        wanted = Wanted(tenants=frozenset(tenants))
        held = [e.cursor for e in everything if wanted.holds(e, owners.get(e.device))]
        assert held == found(told, tenants=tenants)


def test_events_are_kept_as_the_chain_is_described(told):
    facts = {"z": 1, "a": "größe \0\n\x1b \U0001f600 \"'\\", "": -5}
    told.do(lambda tx: tx.audit.record(event(facts=facts, enrolment="run-1")))
    rows = told.see(lambda tx: tx.audit.kept(0, limit=100))
    events = told.see(lambda tx: tx.audit.since(0))
    assert list(rows) == [kept(each) for each in events]
    assert [row.cursor for row in told.see(lambda tx: tx.audit.kept(3, limit=2))] == [4, 5]


def test_what_commits_later_stands_later_whatever_was_undone_between(opened):
    async def undone(tx):
        await tx.audit.record(event(), event(), event())
        raise MalformedError("thought better of it")

    for _ in range(3):
        opened.do(lambda tx: tx.audit.record(event()))
        opened.refuses(Code.MALFORMED, undone)
    assert [e.cursor for e in opened.see(lambda tx: tx.audit.kept(0, limit=9))] == [1, 2, 3]


def head(number, **changes):
    known = SealedHead(number, number * 10, f'{{"head":{number}}}'.encode(), b"\0\xff" * 16)
    return replace(known, **changes)


def test_heads_are_kept_in_order_and_each_once(opened):
    assert opened.see(lambda tx: tx.heads.latest()) is None
    for number in (1, 2, 3):
        opened.do(lambda tx, number=number: tx.heads.add(head(number)))
    opened.refuses(Code.ALREADY_EXISTS, lambda tx: tx.heads.add(head(2, last=99)))
    assert opened.see(lambda tx: tx.heads.latest()) == head(3)
    assert list(opened.see(lambda tx: tx.heads.beyond(0, limit=2))) == [head(1), head(2)]
    assert list(opened.see(lambda tx: tx.heads.beyond(2, limit=9))) == [head(3)]


# --- SQLite ---------------------------------------------------------------------------------------

_WRITES = """
async def undone(tx):
    await tx.audit.record(event(), event())
    raise MalformedError("never mind")
async def main():
    async with SqliteRegistry(path) as r:
        for number in range(60):
            await r.transact(lambda tx: tx.audit.record(event(actor=f"{path.name} {number}")))
            try:
                await r.transact(undone)
            except MalformedError:
                pass
asyncio.run(main())
"""


def test_a_reader_never_sees_a_cursor_appear_below_one_that_it_has_seen(tmp_path):
    """What the sealing relies on, with processes that write, and undo, at the same time."""
    path = tmp_path / "registry.db"
    code = "from homeport.errors import MalformedError\n" + _WRITES

    async def watch():
        async with SqliteRegistry(path) as registry:
            children = [in_child(code, path) for _ in range(3)]
            seen, last = list[KeptEvent](), 0
            while any(child.poll() is None for child in children) or last < 180:
                rows = await registry.read(lambda tx: tx.audit.kept(last, limit=1000))  # noqa: B023
                seen += rows
                last = rows[-1].cursor if rows else last
            for child in children:
                finished(child)
            return seen, await registry.read(lambda tx: tx.audit.kept(0, limit=1000))

    seen, everything = asyncio.run(watch())
    assert seen == everything
    assert [row.cursor for row in everything] == list(range(1, 181))


@pytest.mark.parametrize(
    "value", [b"\xff\xfe", "\0", "name:unknown", 7, 1.5, None, "[]},{", '"quoted"'], ids=repr
)
@pytest.mark.parametrize("column", ["name", "at", "actor", "device", "facts"])
def test_whatever_a_hostile_hand_left_is_read_as_it_stands(tmp_path, column, value):
    path = tmp_path / "registry.db"

    async def work():
        async with SqliteRegistry(path) as registry:
            await registry.transact(lambda tx: tx.audit.record(event(device=device_id())))
            with closing(sqlite3.connect(path)) as raw, raw:
                raw.execute("PRAGMA ignore_check_constraints=ON")
                try:
                    raw.execute(f"UPDATE audit_events SET {column} = ?", (value,))  # noqa: S608
                except sqlite3.IntegrityError:
                    return None  # NULL where there must be something
            (row,) = await registry.read(lambda tx: tx.audit.kept(0, limit=9))
            return row

    row = asyncio.run(work())
    assert row is None or getattr(row, column) != getattr(kept(event(device=device_id())), column)
