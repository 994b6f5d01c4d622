# SPDX-License-Identifier: Apache-2.0
"""Finding devices: every filter and their combinations, page by page."""

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest

from contract.registry_suite import (
    LATER,
    MAKER,
    NOW,
    OTHER_MAKER,
    add_tenants,
    device,
    device_id,
    opened,
    run_of,
)
from homeport.domain.context.context import Context
from homeport.domain.enrolment import State
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.ports import NEVER_SEEN, DeviceFilter, Found, Presence
from homeport.storage.parts import search
from homeport.storage.sqlite import SqliteRegistry

__all__ = ["opened"]

RUNS = {
    "SN-0": [State.OPERATIONAL, State.AWAITING_DECISION],
    "SN-1": [State.AWAITING_OWNER],
    "SN-2": [State.SUPERSEDED, State.OPERATIONAL],
    "SN-4": [State.AWAITING_DECISION],
    "SN-5": [State.OPERATIONAL, State.SUPERSEDED],
}
OWNERS = {"SN-0": "acme", "SN-2": "bolt", "SN-3": "acme", "SN-5": "coil"}
ONLINE = {"SN-0": True, "SN-2": False}
CALLED = {"SN-0": ("Größe Nord", "cold", "hall 1"), "SN-2": ("größer", "cold"), "SN-3": ("",)}
MODELS = {"SN-2": "sensor", "SN-3": "sensor"}


async def fill(tx):
    await add_tenants(tx)
    for number in range(6):
        serial = f"SN-{number}"
        known = device(serial, model=MODELS.get(serial, "gateway"), minted=number % 2 == 0)
        await tx.devices.put(replace(known, tenant=OWNERS.get(serial)))
        for number_of_run, state in enumerate(RUNS.get(serial, [])):
            run_id = f"{serial}/{number_of_run}"
            run = run_of(number_of_run, state, device=device_id(serial), id=run_id)
            await tx.enrolments.put(run)
    for serial, (name, *tags) in CALLED.items():
        said = Context(
            device=device_id(serial),
            tenant=OWNERS[serial],
            name=name,
            tags=tuple(tags),
            version=1,
            changed_at=NOW,
        )
        await tx.contexts.put(said)
    for serial, online in ONLINE.items():
        await tx.presence.put(device_id(serial), Presence(online=online, since=NOW))


def pages(opened, limit=100, **wanted):
    """All pages until the end."""
    after, found = None, []
    while True:
        page = opened.see(
            lambda tx, after=after: tx.search.devices(
                DeviceFilter(**wanted), after=after, limit=limit
            )
        )
        assert len(page.rows) <= limit
        found.append(page.rows)
        after = page.next
        if after is None:
            return found


def listed(opened, limit=100, **wanted):
    rows = [row for page in pages(opened, limit, **wanted) for row in page]
    return [row.device.id.serial_number for row in rows]


def test_each_is_shown_with_its_latest_run_and_presence(opened):
    opened.do(fill)
    [rows] = pages(opened)
    runs = [row.run.id if row.run else None for row in rows]
    assert runs == ["SN-0/0", "SN-1/0", "SN-2/1", None, "SN-4/0", "SN-5/0"]
    assert rows[2].presence == Presence(online=False, since=NOW)
    assert rows[1].presence is None
    assert rows[3].device.tenant == "acme"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"state": State.OPERATIONAL}, "0 2 5"),
        ({"state": State.AWAITING_DECISION}, "4"),
        ({"state": State.AWAITING_OWNER}, "1"),
        ({"state": State.SUPERSEDED}, ""),
        ({"state": NEVER_SEEN}, "3"),
        ({"model": "sensor"}, "2 3"),
        ({"model": "senso"}, ""),
        ({"is_online": True}, "0"),
        ({"is_online": False}, "1 2 3 4 5"),
        ({"is_minted": True}, "0 2 4"),
        ({"is_minted": False}, "1 3 5"),
        ({"serial_number": "SN-1"}, "1"),
        ({"serial_number": "SN-"}, ""),
        ({"text": "SN-"}, "0 1 2 3 4 5"),
        ({"text": "SN-3"}, "3"),
        ({"text": "N-3"}, ""),
        ({"text": "sn-"}, ""),
        ({"text": "%"}, ""),
        ({"tenants": ["acme"]}, "0 3"),
        ({"tenants": ["acme", "bolt"]}, "0 2 3"),
        ({"tenants": []}, ""),
        ({"name": "grö"}, "0 2"),
        ({"name": "GRÖSSE"}, "0 2"),
        ({"name": "größe n"}, "0"),
        ({"name": "ordner"}, ""),
        ({"tag": "cold"}, "0 2"),
        ({"tag": "col"}, ""),
        ({"tag": "cold", "tenants": ["bolt"]}, "2"),
        ({"tag": "hall 1", "name": "g", "state": State.OPERATIONAL}, "0"),
        ({"tenants": ["nobody"]}, ""),
        ({"tenants": ["acme"], "state": State.AWAITING_OWNER}, ""),
        ({"tenants": ["bolt", "coil"], "state": State.OPERATIONAL, "is_minted": True}, "2"),
        ({"state": State.AWAITING_OWNER, "text": "SN-2"}, ""),
        ({"state": State.AWAITING_OWNER, "serial_number": "SN-1", "is_online": False}, "1"),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_filter_narrows_the_list(opened, wanted, expected, limit):
    opened.do(fill)
    assert sorted(listed(opened, limit, **wanted)) == [f"SN-{n}" for n in expected.split()]


@pytest.mark.parametrize("walk", [1, 2, 3])
def test_all_filters_together_find_the_same_however_short_the_walk(opened, walk, monkeypatch):
    opened.do(fill)
    kinds: dict[str, list[Any]] = {
        "tenants": [None, ["acme"], ["bolt", "acme", "coil"]],
        "state": [None, State.OPERATIONAL, State.AWAITING_DECISION, NEVER_SEEN],
        "model": [None, "gateway"],
        "is_online": [None, False],
        "tag": [None, "cold"],
        "text": ["", "SN-", "SN-4"],
    }
    questions = [
        dict(zip(kinds, chosen, strict=True)) for chosen in itertools.product(*kinds.values())
    ]
    expected = [sorted(listed(opened, **wanted)) for wanted in questions]
    monkeypatch.setattr(search, "WALK", walk)
    monkeypatch.setattr(search, "TENANTS_MAX", 2)
    for wanted, found in zip(questions, expected, strict=True):
        assert sorted(listed(opened, 2, **wanted)) == found, wanted


def test_pages_follow_each_other_by_serial_number(opened):
    opened.do(add_tenants)
    serial_numbers = ["SN-9", "SN-10", "SN-1", "é", "sn-1", "SN=1", "A B"]
    for serial in serial_numbers:
        for maker in (MAKER, OTHER_MAKER):
            known = device(serial, maker, tenant="acme")
            opened.do(lambda tx, known=known: tx.devices.put(known))
    for limit in (1, 2, 3, 20):
        for wanted in ({}, {"tenants": ["acme"]}):
            assert listed(opened, limit, **wanted) == sorted(serial_numbers * 2)


def test_what_comes_and_goes_meanwhile_shifts_nothing(opened):
    for serial in ("B", "D", "F", "H"):
        opened.do(lambda tx, serial=serial: tx.devices.put(device(serial)))

    def page(after):
        found = opened.see(lambda tx: tx.search.devices(DeviceFilter(), after=after, limit=2))
        return [row.device.id.serial_number for row in found.rows], found.next

    first, after = page(None)
    for serial in ("A", "C", "E", "Z"):
        opened.do(lambda tx, serial=serial: tx.devices.put(device(serial)))
    second, after = page(after)
    third, after = page(after)
    assert (first, second, third, after) == (["B", "D"], ["E", "F"], ["H", "Z"], None)


def test_a_device_that_changes_its_owner_is_in_the_other_list(opened):
    opened.do(fill)
    moved = device("SN-0", tenant="bolt", registered_at=LATER)
    opened.do(lambda tx: tx.devices.put(moved))
    assert listed(opened, tenants=["acme"]) == ["SN-3"]
    assert listed(opened, tenants=["bolt"]) == ["SN-0", "SN-2"]
    opened.do(lambda tx: tx.devices.put(replace(moved, tenant=None)))
    assert listed(opened, tenants=["bolt"]) == ["SN-2"]


def test_no_cursor_that_is_made_up_tells_of_strangers(tmp_path, monkeypatch):
    monkeypatch.setattr(search, "WALK", 3)
    strange = [f"SN-{number}" for number in range(5)]

    async def filled(tx):
        await add_tenants(tx)
        for number, serial in enumerate(strange):
            await tx.devices.put(device(serial, tenant="bolt"))
            run = run_of(number, State.REDIRECTED, device=device_id(serial), id=serial)
            await tx.enrolments.put(run)

    wanted = DeviceFilter(tenants=["acme"], state=State.REDIRECTED)

    async def work():
        async with SqliteRegistry(tmp_path / "registry.db") as opened:
            await opened.transact(filled)

            async def page(serial):
                after = f"~{device_id(serial)}"
                return await opened.read(lambda tx: tx.search.devices(wanted, after=after, limit=2))

            for serial in ("SN-", *strange):
                with pytest.raises(MalformedError):
                    await page(serial)
            monkeypatch.setattr(search, "WALK", 5)
            assert await page("SN-1") == Found([], None)

    asyncio.run(work())


@pytest.mark.parametrize("cursor", ["x", "/x", "acme/x", "~x", "acme/~x", "a" * 16])
def test_what_is_no_cursor_is_refused(opened, cursor):
    with pytest.raises(HomeportError) as caught:
        opened.see(lambda tx: tx.search.devices(DeviceFilter(), after=cursor, limit=2))
    assert caught.value.code is Code.MALFORMED
