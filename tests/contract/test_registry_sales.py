# SPDX-License-Identifier: Apache-2.0
"""Sales records: which one speaks of a device."""

from contextlib import suppress
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.registry_suite import (
    LATER,
    MAKER,
    NOW,
    OTHER_MAKER,
    add_tenants,
    device,
    opened,
    sale,
)
from homeport.domain.ownership import SerialRange
from homeport.errors import Code

__all__ = ["opened"]


def keep(opened, *records):
    opened.do(add_tenants)
    return opened.do(lambda tx: tx.sales.add(records))


def covering(opened, serial_number, authority=MAKER):
    return opened.see(lambda tx: tx.sales.covering(device(serial_number, authority)))


def test_a_record_covers_its_serial_numbers_and_no_others(opened):
    record = sale("SN-0098", "SN-0102", upstream="edge")
    keep(opened, record)
    for serial in ("SN-0098", "SN-0099", "SN-0100", "SN-0102"):
        assert covering(opened, serial) == record
    for serial in ("SN-0097", "SN-0103", "SN-00990", "SN-099", "SM-0099", "sn-0099", "0099"):
        assert covering(opened, serial) is None


def test_a_single_serial_number_needs_no_digits(opened):
    record = sale("Größe/Ä+😀", "Größe/Ä+😀")
    keep(opened, record)
    assert covering(opened, "Größe/Ä+😀") == record
    assert covering(opened, "Größe/Ä+") is None


def test_the_narrowest_record_wins_even_if_it_is_older(opened):
    wide = sale("SN-0000", "SN-9999", "acme", recorded_at=LATER)
    narrow = sale("SN-0995", "SN-1004", "bolt")
    single = sale("SN-1000", "SN-1000", "coil", recorded_at=NOW - timedelta(days=9))
    keep(opened, narrow, single, wide)
    assert covering(opened, "SN-0001") == wide
    assert covering(opened, "SN-0999") == narrow
    assert covering(opened, "SN-1000") == single


def test_of_equally_narrow_records_the_latest_wins(opened):
    early, late = sale("SN-10", "SN-19", "acme"), sale("SN-10", "SN-19", "bolt", recorded_at=LATER)
    neighbour = sale("SN-15", "SN-24", "coil", recorded_at=NOW + timedelta(hours=1))
    keep(opened, late, neighbour, early)
    assert covering(opened, "SN-12") == late
    assert covering(opened, "SN-17") == late
    assert covering(opened, "SN-22") == neighbour


def test_of_records_of_the_same_instant_the_last_one_kept_wins(opened):
    first, second = sale("SN-10", "SN-19", "acme"), sale("SN-10", "SN-19", "bolt")
    keep(opened, first, second)
    assert covering(opened, "SN-12") == second


def test_a_record_of_one_maker_speaks_of_no_other_makers_devices(opened):
    ours = sale("SN-10", "SN-19", "acme", authority=MAKER)
    anybody = sale("SN-00", "SN-99", "bolt")
    keep(opened, ours, anybody)
    assert covering(opened, "SN-15", MAKER) == ours
    assert covering(opened, "SN-15", OTHER_MAKER) == anybody


def test_what_says_nothing_new_is_not_kept_twice(opened):
    record = sale("SN-10", "SN-19")
    again = sale("SN-10", "SN-19", recorded_at=LATER, source="the same file once more")
    assert keep(opened, record, record) == 1
    assert opened.do(lambda tx: tx.sales.add([again])) == 0
    assert covering(opened, "SN-12") == record


def test_a_change_of_any_kind_is_something_new(opened):
    record = sale("SN-10", "SN-19")
    changes = [
        sale("SN-10", "SN-18"),
        sale("SN-10", "SN-19", upstream="edge"),
        sale("SN-10", "SN-19", authority=MAKER),
        sale("SN-10", "SN-19", authority=OTHER_MAKER),
        sale("SN-10", "SN-19", "bolt"),
    ]
    assert keep(opened, record, *changes) == 6


def test_a_device_may_be_sold_back(opened):
    there = sale("SN-10", "SN-19", "acme")
    back = sale("SN-10", "SN-19", "acme", recorded_at=LATER)
    keep(opened, there, sale("SN-10", "SN-19", "bolt", recorded_at=NOW + timedelta(hours=1)))
    assert opened.do(lambda tx: tx.sales.add([back])) == 1
    assert covering(opened, "SN-12") == back


def test_nothing_is_sold_to_an_unknown_tenant(opened):
    opened.do(add_tenants)
    records = [sale("SN-10", "SN-19"), sale("SN-20", "SN-29", "nobody")]
    opened.refuses(Code.TENANT_UNKNOWN, lambda tx: tx.sales.add(records))
    assert covering(opened, "SN-12") is None


def test_overlapping_records_are_those_that_share_a_serial_number(opened):
    records = {
        "whole": sale("SN-0000", "SN-9999"),
        "left": sale("SN-0900", "SN-1000"),
        "inside": sale("SN-1005", "SN-1005"),
        "right": sale("SN-1010", "SN-2000"),
        "beside": sale("SN-2001", "SN-3000"),
        "longer": sale("SN-01005", "SN-01005"),
        "ours": sale("SN-1000", "SN-1001", authority=MAKER),
    }
    keep(opened, *records.values())

    def overlapping(first, last, authority=None):
        serial_numbers = SerialRange(first, last)
        found = opened.see(lambda tx: tx.sales.overlapping(serial_numbers, authority))
        return {name for name, record in records.items() if record in found}

    assert overlapping("SN-1000", "SN-1010") == {"whole", "left", "inside", "right", "ours"}
    assert overlapping("SN-1000", "SN-1010", OTHER_MAKER) == {"whole", "left", "inside", "right"}
    assert overlapping("SN-1001", "SN-1001", MAKER) == {"whole", "ours"}
    assert overlapping("SN-2001", "SN-9999") == {"whole", "beside"}
    assert overlapping("SM-1000", "SM-1010") == set()


def test_overlapping_returns_a_hundred_at_most(opened):
    keep(opened, *(sale(f"SN-{number:04}", f"SN-{number:04}") for number in range(150)))
    whole = SerialRange("SN-0000", "SN-9999")
    assert len(opened.see(lambda tx: tx.sales.overlapping(whole, None))) == 100


numbers = st.integers(0, 1200)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(numbers, numbers), max_size=12), st.tuples(numbers, numbers))
def test_look_ups_agree_with_the_rule_of_ranges(opened, ends, asked):
    """The stem is only a way to find candidates: what it finds is what a full search would."""
    records = [sale(f"P{min(pair):04}", f"P{max(pair):04}") for pair in ends]
    wanted = SerialRange(f"P{min(asked):04}", f"P{max(asked):04}")

    async def verb(tx):
        if not await tx.tenants.all():
            await add_tenants(tx)
        await tx.sales.add(records)
        one = await tx.sales.covering(device(wanted.first))
        assert (one is not None) == any(wanted.first in r.serial_numbers for r in records)
        found = [record.serial_numbers for record in await tx.sales.overlapping(wanted, None)]
        expected = {r.serial_numbers for r in records if r.serial_numbers.overlaps(wanted)}
        assert set(found) == expected
        raise Undo

    with suppress(Undo):
        opened.do(verb)


class Undo(Exception):  # noqa: N818 - not an error
    """Leaves the registry as it was."""
