# SPDX-License-Identifier: Apache-2.0
"""Sales records: which one speaks of a device."""

from contextlib import suppress
from dataclasses import replace
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
    device_id,
    opened,
    sale,
)
from homeport.domain.ownership import ImportState, SalesAction, SerialRange, WholeModel
from homeport.errors import Code

__all__ = ["opened"]


def keep(opened, *records):
    opened.do(add_tenants)
    for record in records:
        opened.do(lambda tx, record=record: tx.sales.add(record))


def covering(opened, serial_number, authority=MAKER):
    """The deciding record, as it was before it had a number."""
    found = opened.see(lambda tx: tx.sales.covering(device(serial_number, authority)))
    return found and replace(found, number=0)


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
    keep(opened, early, neighbour, late)
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


def test_a_record_goes_and_comes_back_unchanged(opened):
    records = [
        sale("SN-10", "SN-19", upstream="edge", authority=MAKER, reference="order 4711/Ä"),
        sale("SN-12", "SN-12", "bolt", action=SalesAction.CORRECTION),
        sale("SN-13", "SN-13", None, action=SalesAction.CANCELLATION),
        replace(sale("", ""), scope=WholeModel("EX 100; DROP"), authority=MAKER),
    ]
    keep(opened, *records)
    for number, record in enumerate(records, 1):
        found = opened.see(lambda tx, r=record: tx.sales.of_scope(r.scope, r.authority))
        assert found == [replace(record, number=number)]
    assert opened.see(lambda tx: tx.sales.last()) == 4


def test_records_of_one_scope_are_told_latest_first(opened):
    records = [sale("SN-10", "SN-19", t) for t in ("acme", "bolt", "acme")]
    keep(opened, *records, sale("SN-10", "SN-18"), sale("SN-10", "SN-19", authority=MAKER))
    scope = SerialRange("SN-10", "SN-19")
    found = opened.see(lambda tx: tx.sales.of_scope(scope, None))
    assert [(r.number, r.tenant) for r in found] == [(3, "acme"), (2, "bolt"), (1, "acme")]
    assert opened.see(lambda tx: tx.sales.of_scope(scope, OTHER_MAKER)) == []


def test_a_cancellation_decides_as_any_record(opened):
    keep(opened, sale("SN-10", "SN-19"), sale("SN-12", "SN-12", None))
    assert covering(opened, "SN-12").tenant is None
    assert covering(opened, "SN-13").tenant == "acme"


def test_a_whole_model_speaks_of_what_no_serial_number_does(opened):
    whole = replace(sale("", "", "bolt"), scope=WholeModel("gateway"), authority=MAKER)
    keep(opened, sale("SN-10", "SN-19", "acme"), whole)

    def tenant(**changes):
        known = device("SN-99", minted=True)
        record = opened.see(lambda tx: tx.sales.covering(replace(known, **changes)))
        return record and record.tenant

    assert tenant() == "bolt"
    assert tenant(id=device_id("SN-12")) == "acme"
    assert tenant(model="gateway 2") is None
    assert tenant(id=device_id("SN-99", OTHER_MAKER)) is None
    assert tenant(minted=False) is None, "only the manifest's word about a model counts"
    later = replace(whole, tenant="coil")
    opened.do(lambda tx: tx.sales.add(later))
    assert tenant() == "coil"
    overlapping = opened.see(lambda tx: tx.sales.overlapping(whole))[0]
    assert [record.tenant for record in overlapping] == ["coil", "bolt"]


def test_what_is_still_being_read_does_not_count_but_is_seen(opened):
    opened.do(add_tenants)
    begun = opened.do(lambda tx: tx.sales_imports.begin("d" * 64, "sales.csv", 0, NOW))
    ours = [sale("SN-10", "SN-19"), replace(sale("", ""), scope=WholeModel("m"), authority=MAKER)]
    for record in ours:
        kept = replace(record, imported_by=begun.number)
        opened.do(lambda tx, kept=kept: tx.sales.add(kept))
    known = device("SN-12", model="m", minted=True)
    assert opened.see(lambda tx: tx.sales.covering(known)) is None
    assert opened.see(lambda tx: tx.sales.overlapping(sale("SN-12", "SN-12"))) == [
        [replace(ours[0], imported_by=begun.number, number=1)]
    ]
    decided = replace(begun, state=ImportState.DECIDED, changed_at=LATER)
    opened.do(lambda tx: tx.sales_imports.put(decided))
    assert opened.see(lambda tx: tx.sales.covering(known)).scope == ours[0].scope
    other = replace(known, id=device_id("SN-99"))
    assert opened.see(lambda tx: tx.sales.covering(other)).scope == ours[1].scope
    assert opened.see(lambda tx: tx.sales_imports.latest("d" * 64)) == decided


def test_an_imports_records_are_paged_and_forgotten_in_pieces(opened):
    opened.do(add_tenants)
    begin = lambda tx: tx.sales_imports.begin("d", "sales.csv", 0, NOW)  # noqa: E731
    one, other = opened.do(begin), opened.do(begin)
    assert opened.see(lambda tx: tx.sales_imports.latest("d")) == other
    for number in range(10):
        by = (one, other)[number % 2].number
        record = sale(f"SN-{number}", f"SN-{number}", imported_by=by)
        opened.do(lambda tx, record=record: tx.sales.add(record))

    def page(after, limit=3):
        rows = opened.see(lambda tx: tx.sales.of_import(one.number, after=after, limit=limit))
        return [row.number for row in rows]

    assert page(0) == [1, 3, 5]
    assert page(5) == [7, 9]

    def forget(limit):
        return opened.do(lambda tx: tx.sales.forget(one.number, after=0, limit=limit))

    assert [forget(3), forget(3), forget(3)] == [3, 2, 0]
    assert len(opened.see(lambda tx: tx.sales.of_import(other.number, after=0, limit=9))) == 5


def test_imports_that_nobody_goes_on_with_are_found(opened):
    for digest, at in (("a", NOW), ("b", NOW - timedelta(hours=2)), ("c", LATER)):
        opened.do(lambda tx, d=digest, at=at: tx.sales_imports.begin(d, "s", 0, at))
    done = opened.see(lambda tx: tx.sales_imports.latest("a"))
    opened.do(lambda tx: tx.sales_imports.put(replace(done, state=ImportState.DONE)))
    found = opened.see(lambda tx: tx.sales_imports.abandoned(LATER))
    assert [row.digest for row in found] == ["b"]
    assert opened.see(lambda tx: tx.sales_imports.get(found[0].number)) == found[0]
    assert opened.see(lambda tx: tx.sales_imports.get(found[0].number + 100)) is None


def test_nothing_is_sold_to_an_unknown_tenant(opened):
    opened.do(add_tenants)
    opened.refuses(Code.TENANT_UNKNOWN, lambda tx: tx.sales.add(sale("SN-20", "SN-29", "nobody")))
    assert covering(opened, "SN-22") is None


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
        asked = sale(first, last, authority=authority)
        (found,) = opened.see(lambda tx: tx.sales.overlapping(asked))
        plain = [replace(record, number=0) for record in found]
        return {name for name, record in records.items() if record in plain}

    assert overlapping("SN-1000", "SN-1010") == {"whole", "left", "inside", "right", "ours"}
    assert overlapping("SN-1000", "SN-1010", OTHER_MAKER) == {"whole", "left", "inside", "right"}
    assert overlapping("SN-1001", "SN-1001", MAKER) == {"whole", "ours"}
    assert overlapping("SN-2001", "SN-9999") == {"whole", "beside"}
    assert overlapping("SM-1000", "SM-1010") == set()


def test_overlapping_returns_a_hundred_at_most(opened):
    keep(opened, *(sale(f"SN-{number:04}", f"SN-{number:04}") for number in range(150)))
    (found,) = opened.see(lambda tx: tx.sales.overlapping(sale("SN-0000", "SN-9999")))
    assert len(found) == 100


def test_many_are_asked_for_at_once(opened):
    whole = replace(sale("", ""), scope=WholeModel("m"), authority=MAKER)
    wide, twin = sale("SN-0100", "SN-0199"), sale("SN-0777", "SN-0777", "bolt")
    keep(opened, whole, wide, twin)
    asked = [sale(f"SN-{number:04}", f"SN-{number:04}") for number in range(1000)]
    found = opened.see(lambda tx: tx.sales.overlapping(*asked, whole))
    told = {
        str(record.scope): [replace(other, number=0) for other in others]
        for record, others in zip([*asked, whole], found, strict=True)
        if others
    }
    inside = {f"SN-{number:04}": [wide] for number in range(100, 200)}
    assert told == {**inside, "SN-0777": [twin], "model m": [whole]}
    assert list(opened.see(lambda tx: tx.sales.overlapping())) == []


numbers = st.integers(0, 1200)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(numbers, numbers), max_size=12), st.tuples(numbers, numbers))
def test_look_ups_agree_with_the_rule_of_ranges(opened, ends, asked):
    """The stem is only a way to find candidates: what it finds is what a full search would."""
    scopes = [SerialRange(f"P{min(pair):04}", f"P{max(pair):04}") for pair in ends]
    records = [sale(scope.first, scope.last) for scope in scopes]
    wanted = SerialRange(f"P{min(asked):04}", f"P{max(asked):04}")

    async def verb(tx):
        if not await tx.tenants.all():
            await add_tenants(tx)
        if records:
            await tx.sales.add(*records)
        one = await tx.sales.covering(device(wanted.first))
        assert (one is not None) == any(wanted.first in scope for scope in scopes)
        neighbours = [wanted, SerialRange(wanted.first, wanted.first), SerialRange("P2", "P2")]
        every = await tx.sales.overlapping(*(sale(each.first, each.last) for each in neighbours))
        for each, found in zip(neighbours, every, strict=True):
            expected = {scope for scope in scopes if scope.overlaps(each)}
            assert {record.scope for record in found} == expected
        raise Undo

    with suppress(Undo):
        opened.do(verb)


class Undo(Exception):  # noqa: N818 - not an error
    """Leaves the registry as it was."""
