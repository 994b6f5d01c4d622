# SPDX-License-Identifier: Apache-2.0
"""Sales records: before, with and after first contact; corrections, cancellations, models."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.verbs import CODE, DEVICE, OTHER, Platform, on_platform, refused
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.claim import Claim
from homeport.domain.credential import CredentialState
from homeport.domain.enrolment import State
from homeport.domain.ownership import ImportState, Ownership, Proof
from homeport.errors import Code, HomeportError
from homeport.provisioning.admit import admit
from homeport.provisioning.enrolment.outcome import Outcome
from homeport.provisioning.imports.sales import ABANDONED_AFTER, SalesFaultsError
from homeport.provisioning.imports.sales_effect import Left, settle
from homeport.provisioning.imports.sales_file import LineFault
from homeport.provisioning.life.decommission import decommission
from homeport.provisioning.ownership.presence import show_presence

ACTION = "serial_number,tenant,action"
FULL = "serial_number,model,authority,tenant,action,reference"


async def owner(p: Platform) -> str | None:
    return (await p.device()).tenant


async def issued(p: Platform, key: str = "k1") -> str:
    outcome = await p.ask(key=key, request=f"r-{key}")
    assert isinstance(outcome, Outcome)
    assert outcome.credential is not None
    return outcome.credential.fingerprint


async def fails(p: Platform, lines: Sequence[str], **changes: object) -> list[LineFault]:
    with pytest.raises(SalesFaultsError) as caught:
        await p.import_sales(lines, **changes)
    return caught.value.faults


async def told(p: Platform, *names: Name) -> list[AuditEvent]:
    return [e for e in await p.verb(lambda tx: tx.audit.since(0)) if e.name in names]


# --- lines that are looked at together ------------------------------------------------------------


@on_platform
async def test_lines_of_one_file_are_held_against_each_other(p: Platform) -> None:
    lines = [
        "serial_number,tenant,action",
        "EX-000017,acme,sale",
        "EX-000018,acme,sale",
        "EX-000017,other,sale",
        "EX-000001..EX-000099,other,sale",
        "EX-000018,acme,sale",
        "EX-000200,acme,sale",
        "EX-000017,other,correction",
        "EX-000200,,cancellation",
        "EX-000200,other,sale",
    ]
    faults: list[LineFault] = []
    report = await p.import_sales(lines, is_all_or_none=False, on_fault=faults.append)
    assert [(fault.line, fault.code) for fault in faults] == [
        (4, Code.SALES_CONFLICT),
        (5, Code.SALES_CONFLICT),
    ]
    assert (report.records, report.new) == (7, 7)
    await p.ask()
    assert await owner(p) == "other"


@on_platform
async def test_devices_of_many_records_are_told_together(p: Platform) -> None:
    await p.mint()
    await p.mint(OTHER)
    lines = [f"EX-{number:06},{'acme' if number % 2 else 'other'}" for number in range(1, 400)]
    report = await p.import_sales(["serial_number,tenant", *lines, "EX-000500..EX-000600,acme"])
    assert (report.new, report.assigned, report.failed) == (400, 2, 0)
    assert [(await p.device(each)).tenant for each in (DEVICE, OTHER)] == ["acme", "other"]


# --- corrections ----------------------------------------------------------------------------------


@on_platform
async def test_a_correction_before_first_contact_decides(p: Platform) -> None:
    await p.sell("EX-000001..EX-000100,acme")
    report = await p.sell("EX-000017,other,correction", ACTION)
    assert (report.new, report.moved) == (1, 0)
    await p.ask()
    assert await owner(p) == "other"
    await p.ask(OTHER, key="k9")
    assert (await p.device(OTHER)).tenant == "acme"


@on_platform
async def test_a_correction_moves_what_has_not_arrived_and_ends_the_former_access(
    p: Platform,
) -> None:
    await p.mint()
    await p.sell("EX-000017,acme")
    former = await issued(p)
    report = await p.sell("EX-000017,other,correction", ACTION)
    assert (report.moved, report.assigned) == (1, 0)
    device = await p.device()
    assert (device.tenant, device.epoch, device.proof) == ("other", 2, Proof.SALES_RECORD)
    credential = await p.verb(lambda tx: tx.credentials.get(former))
    assert credential is not None
    assert credential.state is CredentialState.REVOKED
    with pytest.raises(HomeportError):
        await p.verb(lambda tx: admit(tx, fingerprint=former, client_id=str(DEVICE), now=p.now))
    assert refused(await p.ask()) is Code.EPOCH_STALE
    await issued(p, "k2")
    left, got = await told(p, Name.SALE_CORRECTED), await told(p, Name.DEVICE_ASSIGNED)
    assert [(e.tenant, e.facts["epoch"]) for e in left] == [("acme", 1)]
    assert [(e.tenant, e.facts["epoch"]) for e in got] == [("acme", 1), ("other", 2)]
    assert "other" not in str(left[0].facts), "who has it now is not told to who had it"


@on_platform
async def test_what_works_at_its_tenant_is_not_moved_by_a_correction(p: Platform) -> None:
    await p.mint()
    await p.mint(OTHER)
    await p.sell("EX-000017..EX-000018,acme")
    await p.arrive(await p.ask())
    (fault,) = await fails(p, [ACTION, "EX-000017..EX-000018,other,correction"])
    assert fault.line == 2
    assert "works at acme" in fault.reason
    assert "transfer" in fault.reason
    assert {(await p.device()).tenant, (await p.device(OTHER)).tenant} == {"acme"}
    report = await p.sell("EX-000018,other,correction", ACTION)
    assert report.moved == 1


@on_platform
async def test_a_correction_takes_nothing_from_who_claimed_or_stood_there(p: Platform) -> None:
    await p.mint()
    await p.mint(OTHER)
    await p.claim("acme")
    there = await p.device(OTHER)
    await p.verb(lambda tx: show_presence(tx, there, "acme", actor="ann", now=p.now))
    (claimed,) = await fails(p, [ACTION, "EX-000017,other,correction"])
    assert "claimed by acme" in claimed.reason
    (present,) = await fails(p, [ACTION, "EX-000018,other,correction"])
    assert "presence" in present.reason


@on_platform
async def test_the_same_correction_again_is_nothing_new(p: Platform) -> None:
    lines = ["serial_number,tenant,action", "EX-000017,acme,sale", "EX-000017,other,correction"]
    assert (await p.import_sales(lines)).new == 2
    again = await p.import_sales(lines)
    assert (again.records, again.new, again.outdated, again.failed) == (2, 0, 1, 0)
    await p.ask()
    assert await owner(p) == "other"


# --- cancellations --------------------------------------------------------------------------------


@on_platform
async def test_a_cancellation_frees_what_has_not_arrived(p: Platform) -> None:
    await p.mint()
    await p.sell("EX-000001..EX-000100,acme")
    former = await issued(p)
    report = await p.sell("EX-000017,acme,cancellation", ACTION)
    assert report.freed == 1
    device = await p.device()
    assert (device.ownership, device.tenant, device.epoch) == (Ownership.UNOWNED, None, 1)
    credential = await p.verb(lambda tx: tx.credentials.get(former))
    assert credential is not None
    assert credential.state is CredentialState.REVOKED
    outcome = await p.ask(key="k2", request="r2")
    assert isinstance(outcome, Outcome)
    assert outcome.run.state is State.AWAITING_OWNER
    assert [e.tenant for e in await told(p, Name.SALE_CANCELLED)] == ["acme"]


@on_platform
async def test_what_was_cancelled_can_be_sold_or_claimed_anew(p: Platform) -> None:
    await p.mint()
    await p.mint(OTHER)
    await p.sell("EX-000001..EX-000100,acme")
    await p.sell("EX-000017..EX-000018,,cancellation", ACTION)
    assert (await p.sell("EX-000017,other")).assigned == 1
    assert await owner(p) == "other"
    assert isinstance(await p.claim("other", CODE, "EX-000018"), Claim), "the label's code again"


@on_platform
async def test_a_cancelled_sale_before_first_contact_leaves_the_device_parked(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    await p.sell("EX-000017,acme,cancellation", ACTION)
    outcome = await p.ask()
    assert isinstance(outcome, Outcome)
    assert outcome.run.state is State.AWAITING_OWNER


@on_platform
async def test_a_sale_passes_by_what_is_decommissioned(p: Platform) -> None:
    await p.mint()
    await p.mint(OTHER)
    device = await p.device()
    await p.verb(lambda tx: decommission(tx, device, actor="op", now=p.now))
    report = await p.sell("EX-000010..EX-000020,other")
    assert (report.assigned, report.failed) == (1, 0)
    assert (await p.device()).ownership is Ownership.DECOMMISSIONED
    assert (await p.device(OTHER)).tenant == "other"
    # Decommissioned between the look and the change: it is left, and said.
    left = await p.verb(lambda tx: settle(tx, DEVICE, 1, actor="op", now=p.now))
    assert isinstance(left, Left)
    assert "decommissioned" in left.reason


@on_platform
async def test_who_cancels_names_what_was_sold_and_to_whom(p: Platform) -> None:
    (nothing,) = await fails(p, [ACTION, "EX-000017,acme,cancellation"])
    assert "nothing to cancel" in nothing.reason
    await p.sell("EX-000017,acme")
    (wrong,) = await fails(p, [ACTION, "EX-000017,other,cancellation"])
    assert "not to other" in wrong.reason


@on_platform
async def test_what_comes_back_to_the_same_buyer_needs_an_order_of_its_own(p: Platform) -> None:
    await p.mint()
    columns = "serial_number,tenant,action,reference"
    await p.sell("EX-000017,acme,sale,A1", columns)
    await p.sell("EX-000017,acme,cancellation,A1", columns)
    assert (await p.sell("EX-000017,acme,,A1", columns)).outdated == 1
    assert await owner(p) is None
    assert (await p.sell("EX-000017,acme,,A2", columns)).assigned == 1
    assert (await p.device()).epoch == 2


# --- whole models ---------------------------------------------------------------------------------


@on_platform
async def test_a_whole_model_is_sold_but_for_what_was_sold_by_number(p: Platform) -> None:
    await p.mint()
    await p.mint(OTHER)
    await p.sell("EX-000017,acme")
    report = await p.sell(f",EX-100,{DEVICE.authority},other,,", FULL)
    assert (report.new, report.assigned, report.failed) == (1, 1, 0)
    assert (await owner(p), (await p.device(OTHER)).tenant) == ("acme", "other")
    freed = await p.sell(f",EX-100,{DEVICE.authority},,cancellation,", FULL)
    assert freed.freed == 1
    assert (await owner(p), (await p.device(OTHER)).tenant) == ("acme", None)


@on_platform
async def test_a_whole_model_reaches_devices_at_their_first_contact(p: Platform) -> None:
    await p.sell(f",EX-100,{DEVICE.authority},other,,", FULL)
    outcome = await p.ask()
    assert isinstance(outcome, Outcome)
    assert outcome.run.state is State.AWAITING_OWNER, "its model is only what it says itself"
    await p.mint(OTHER)
    await p.ask(OTHER)
    assert (await p.device(OTHER)).tenant == "other"


# --- claims and sales -----------------------------------------------------------------------------


@on_platform
async def test_a_sale_of_what_another_tenant_claimed_is_a_conflict_that_names_it(
    p: Platform,
) -> None:
    await p.mint()
    await p.claim("acme")
    (fault,) = await fails(p, ["serial_number,tenant", "EX-000001..EX-000100,other"])
    assert fault.code is Code.SALES_CONFLICT
    assert "EX-000017 is claimed by acme" in fault.reason
    assert (await p.sell("EX-000001..EX-000100,acme")).assigned == 1
    assert (await p.device()).proof is Proof.SALES_RECORD
    assert await p.verb(lambda tx: tx.claims.pending(DEVICE)) is None
    (fault,) = await fails(p, ["serial_number,tenant", "EX-000017,other"])
    assert "belongs to acme" in fault.reason
    (fault,) = await fails(p, ["serial_number,tenant", "EX-000019,other"])
    assert "gives EX-000001..EX-000100 to acme" in fault.reason


# --- the job --------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [[3], [2, 500, 999], [1001]])
def test_of_many_lines_some_of_them_wrong_all_good_ones_or_none_are_taken(wrong: list[int]) -> None:
    @on_platform
    async def run(p: Platform) -> None:
        lines = ["serial_number,tenant", *(f"EX-{n:06},acme" for n in range(2, 1002))]
        for line in wrong:
            lines[line - 1] = f"EX-{line:06},nobody"
        reported: list[LineFault] = []
        faults = await fails(p, lines, on_fault=reported.append)
        assert [fault.line for fault in faults] == wrong
        assert reported == faults
        assert await p.verb(lambda tx: tx.sales.last()) == 0
        report = await p.import_sales(lines, is_all_or_none=False)
        good = 1000 - len(wrong)
        assert (report.records, report.new, report.failed) == (good, good, len(wrong))
        again = await p.import_sales(lines, is_all_or_none=False)
        assert (again.new, again.failed) == (0, len(wrong))

    run()


@on_platform
async def test_a_dry_run_tells_all_and_keeps_nothing(p: Platform) -> None:
    await p.mint()
    lines = ["serial_number,tenant", "EX-000017,acme", "EX-000018,nobody"]
    report = await p.import_sales(lines, is_dry_run=True)
    assert (report.records, report.new, report.failed) == (1, 1, 1)
    assert await p.verb(lambda tx: tx.sales.last()) == 0
    assert await owner(p) is None
    assert not await told(p, Name.SALES_IMPORTED)


class CutError(Exception):
    """The power went."""


@on_platform
async def test_an_interrupted_import_counts_for_nothing_and_goes_on_when_run_again(
    p: Platform,
) -> None:
    await p.mint()
    lines = ["serial_number,tenant", *(f"EX-{n:06},acme" for n in range(1, 400))]
    seen = 0

    def cut(count: int) -> None:
        nonlocal seen
        seen += count
        if seen > 200:
            raise CutError

    with pytest.raises(CutError):
        await p.import_sales(lines, on_progress=cut)
    assert await p.verb(lambda tx: tx.sales.last()) > 0
    parked = await p.ask()
    assert isinstance(parked, Outcome)
    assert parked.run.state is State.AWAITING_OWNER
    report = await p.import_sales(lines)
    assert (report.new, report.assigned) == (399, 1)
    assert await p.verb(lambda tx: tx.sales.last()) == 399
    assert await owner(p) == "acme"


@on_platform
async def test_a_record_that_counts_is_not_called_unfinished(p: Platform) -> None:
    await p.sell("EX-000017,acme")
    (fault,) = await fails(p, ["serial_number,tenant", "EX-000017,other"])
    assert fault.reason.startswith("A sales record contradicts")
    assert "gives EX-000017 to acme: import a correction" in fault.reason


@on_platform
async def test_what_an_import_left_behind_is_swept_by_a_later_one(p: Platform) -> None:
    def cut(_: int) -> None:
        raise CutError

    with pytest.raises(CutError):
        await p.import_sales(["serial_number,tenant", "EX-000017,acme"], on_progress=cut)
    (fault,) = await fails(p, ["serial_number,tenant", "EX-000017,other"])
    assert "not finished" in fault.reason
    imports = p.registry.rows.imports
    left = next(row for row in imports.values() if row.state is ImportState.READING)
    old = left.changed_at - ABANDONED_AFTER - timedelta(seconds=1)
    imports[left.number] = replace(left, changed_at=old)
    assert (await p.sell("EX-000017,other")).new == 1
    states = {row.state for row in p.registry.rows.imports.values()}
    assert states == {ImportState.DONE}


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("serial_number;tenant;action", "EX-000017;acme;SALE"),
        ("Tenant\tSerial_Number\tReference", "acme\tEX-000017\tPO 4711/β"),
        ("\ufeffserial_number , tenant", " EX-000017 , acme "),
        ('"serial_number","tenant"', '"EX-000017","acme"'),
    ],
)
def test_files_are_read_as_erp_systems_write_them(head: str, line: str) -> None:
    @on_platform
    async def run(p: Platform) -> None:
        assert (await p.import_sales([head, line])).new == 1
        await p.ask()
        assert await owner(p) == "acme"

    run()


HOSTILE = [
    "EX-1,,acme,,sale,",
    ",,,acme,,",
    "EX-1,M,aaaaaaaaaaaaaaaa,acme,,",
    ",M,,acme,,",
    f",{'M' * 65},aaaaaaaaaaaaaaaa,acme,,",
    ",M\u202e,aaaaaaaaaaaaaaaa,acme,,",
    "EX-1,,AAAA,acme,,",
    "EX-1,,,acme,steal,",
    f"EX-1,,,acme,,{'x' * 101}",
    "EX-1,,,acme,,a\x1b[31m",
    "EX-1,,,'; DROP TABLE sales_records; --,,",
    "EX-1\udcff,,,acme,,",
    "=cmd|'/c calc'!A1\x00,,,acme,,",
    '"EX-1,,,acme,,',
    "EX-1,,,,,",
    "EX-1,,,,correction,",
    "EX-9..EX-1,,,acme,,",
    "EX-1..EX-99999999999999999999999999999999999999999999999999999999999999,,,acme,,",
]


@pytest.mark.parametrize("line", HOSTILE)
def test_a_hostile_line_is_refused_by_its_number_and_hides_no_other(line: str) -> None:
    @on_platform
    async def run(p: Platform) -> None:
        lines = [FULL, "EX-000016,,,acme,,", line, "EX-000017,,,acme,,"]
        if line.startswith('"'):  # an open quote takes the rest with it, and says so
            lines = [FULL, "EX-000017,,,acme,,", line]
        report = await p.import_sales(lines, is_all_or_none=False)
        assert report.failed == 1
        assert report.faults[0].line == 3
        await p.ask()
        assert await owner(p) == "acme"

    # "EX-1,,acme,..." has its tenant in the authority's place: the cells themselves are checked.
    run()


@on_platform
async def test_a_line_without_end_is_not_held_in_memory(p: Platform) -> None:
    (fault,) = await fails(p, ["serial_number,tenant", "E" * 100_000])
    assert "characters in a line" in fault.reason
