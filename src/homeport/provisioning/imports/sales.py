# SPDX-License-Identifier: Apache-2.0
"""Import sales records, a handful or a million: before, with or after the devices' first contact.

Rules: none of the records counts before all of them do, so an import takes all lines, or only the
good ones, as asked, and never a part of either; devices go on enrolling meanwhile (`pace`); memory
is bounded; the same content again goes on where it stopped, and changes nothing once it is done.
Records that count reach the registered devices one after the other; others meet them at their first
contact. A device that has arrived in that very moment is left, and named.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from typing import Final

from homeport.clock import Clock
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import DeviceId
from homeport.domain.ownership import ImportState, SalesAction, SalesImport, SalesRecord, WholeModel
from homeport.errors import Code, HomeportError
from homeport.provisioning.imports.pace import Pace
from homeport.provisioning.imports.sales_check import (
    PAGE,
    News,
    apart,
    check_devices,
    fault_of,
    keep,
    speaking_of_any,
)
from homeport.provisioning.imports.sales_effect import Effect, Left, settle
from homeport.provisioning.imports.sales_file import LineFault, SalesLine
from homeport.provisioning.ownership.own import known_place
from homeport.provisioning.ports import Registry, Transaction

ABANDONED_AFTER: Final = timedelta(hours=1)
"""An import that was not touched for so long is nobody's any more; its records are swept."""

FAULTS_KEPT: Final = 100
"""Faults held in memory; all of them are told to `on_fault`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What is imported, how, and who is told."""

    source: str
    """For the timeline: the file's name."""
    digest: str
    """SHA-256 of the content, hex: the same content again is the same import."""
    actor: str
    clock: Clock
    is_all_or_none: bool = True
    """False: the good lines are taken, whatever the others are."""
    is_dry_run: bool = False
    """Check everything, keep nothing."""
    on_fault: Callable[[LineFault], None] = lambda _: None
    on_progress: Callable[[int], None] = lambda _: None
    """Told how many lines are through."""


@dataclass(slots=True)
class SalesReport:
    """What an import did."""

    records: int = 0
    """Lines that could be taken."""
    new: int = 0
    outdated: int = 0
    """Lines that repeat what was corrected or cancelled since: they change nothing."""
    assigned: int = 0
    """Registered devices that have an owner now."""
    moved: int = 0
    freed: int = 0
    failed: int = 0
    """Lines that cannot be taken, and devices that were left."""
    faults: list[LineFault] = field(default_factory=list)
    """The first of them."""
    longest: timedelta = timedelta(0)
    """How long the longest transaction took."""


class SalesFaultsError(HomeportError):
    """Lines that cannot be taken; nothing was imported."""

    def __init__(self, report: SalesReport) -> None:
        """Take the report; the first faults stand in the detail."""
        faults = report.faults
        first = "; ".join(f"line {fault.line}: {fault.reason}" for fault in faults[:5])
        more = f"; and {report.failed - 5} more" if report.failed > 5 else ""  # noqa: PLR2004
        conflicts = any(fault.code is Code.SALES_CONFLICT for fault in faults)
        code = Code.SALES_CONFLICT if conflicts else Code.SALES_MALFORMED
        super().__init__(code, first + more)
        self.faults = faults
        self.report = report


async def import_sales(
    registry: Registry, lines: Iterable[SalesLine | LineFault], intake: Intake
) -> SalesReport:
    """Import them; SalesFaultsError says that nothing was, and why."""
    return await _Work(registry, intake).run(iter(lines))


class _Work:
    """One import at work."""

    def __init__(self, registry: Registry, intake: Intake) -> None:
        self._registry, self._intake = registry, intake
        self._pace = Pace(intake.clock)
        self._report = SalesReport()
        self._places: set[tuple[str, str | None]] = set()
        """Tenants and upstreams that exist: none is ever removed, so one look at each is enough."""

    async def run(self, lines: Iterator[SalesLine | LineFault]) -> SalesReport:
        report, intake = self._report, self._intake
        await self._sweep()
        imported = await self._begin()
        while chunk := list(islice(lines, self._pace.steps)):
            await self._take(imported, chunk)
            intake.on_progress(len(chunk))
        if intake.is_dry_run or (report.failed and intake.is_all_or_none):
            await self._forget(imported)
            if not intake.is_dry_run:
                raise SalesFaultsError(report)
        else:
            await self._decide(imported)
            await self._take_effect(imported)
        report.longest = self._pace.longest
        return report

    async def _begin(self) -> SalesImport:
        """Go on with the same content, or begin."""
        intake = self._intake

        async def verb(tx: Transaction) -> SalesImport:
            present = await tx.sales_imports.latest(intake.digest)
            if present is not None and present.state is not ImportState.DONE:
                return present
            last, now = await tx.sales.last(), intake.clock.now()
            return await tx.sales_imports.begin(intake.digest, intake.source, last, now)

        imported = await self._registry.transact(verb)
        if imported.state is ImportState.DECIDED:  # it ended while devices were being told
            await self._take_effect(imported)
            imported = await self._registry.transact(verb)
        return imported

    async def _sweep(self) -> None:
        before = self._intake.clock.now() - ABANDONED_AFTER
        for left in await self._registry.read(lambda tx: tx.sales_imports.abandoned(before)):
            if left.digest != self._intake.digest:
                await self._forget(left)

    async def _forget(self, imported: SalesImport) -> None:
        gone = 1
        while gone:
            limit = self._pace.steps
            gone = await self._pace.transact(
                self._registry,
                lambda tx, limit=limit: tx.sales.forget(  # type: ignore[misc]
                    imported.number, after=imported.after, limit=limit
                ),
                limit,
            )
        await self._put(imported, ImportState.DONE)

    async def _put(self, imported: SalesImport, state: ImportState) -> None:
        changed = replace(imported, state=state, changed_at=self._intake.clock.now())
        await self._registry.transact(lambda tx: tx.sales_imports.put(changed))

    async def _take(self, imported: SalesImport, chunk: Sequence[SalesLine | LineFault]) -> None:
        """Check some lines without holding the write lock, then keep the good ones."""
        lines: list[SalesLine] = []
        for line in chunk:
            if isinstance(line, LineFault):
                self._fail(line)
            else:
                record = replace(line.record, imported_by=imported.number)
                lines.append(SalesLine(line.line, record, line.former))
        checked = await self._registry.read(lambda tx: _checked(tx, lines, self._places))
        good = [line for line, fault in zip(lines, checked, strict=True) if fault is None]
        touched = replace(imported, changed_at=self._intake.clock.now())
        kept = await self._pace.transact(
            self._registry, lambda tx: _keep_all(tx, good, touched), max(len(good), 1)
        )
        for came_of in (*checked, *kept):
            if isinstance(came_of, LineFault):
                self._fail(came_of)
            elif came_of is not None:
                self._report.records += 1
                self._report.new += came_of is News.NEW
                self._report.outdated += came_of is News.OUTDATED

    async def _decide(self, imported: SalesImport) -> None:
        """From here on its records count, all at once."""
        report, intake = self._report, self._intake
        now = intake.clock.now()

        async def verb(tx: Transaction) -> None:
            decided = replace(imported, state=ImportState.DECIDED, changed_at=now)
            await tx.sales_imports.put(decided)
            facts: dict[str, str | int] = {"count": report.records, "source": intake.source}
            facts |= {"new": report.new, "failed": report.failed}
            await tx.audit.record(
                AuditEvent(name=Name.SALES_IMPORTED, at=now, actor=intake.actor, facts=facts)
            )

        await self._registry.transact(verb)

    async def _take_effect(self, imported: SalesImport) -> None:
        after: int | None = imported.after
        while after is not None:
            after, touched = await self._registry.read(
                lambda tx, after=after: _touched(tx, imported.number, after)  # type: ignore[misc]
            )
            few: list[DeviceId] = []
            for record, found in touched:
                if len(found) < PAGE:  # these are all
                    few += found
                else:
                    await self._tell(imported, record, found)
            await self._settle_all(imported, few)
        await self._put(imported, ImportState.DONE)

    async def _tell(
        self, imported: SalesImport, record: SalesRecord, devices: Sequence[DeviceId]
    ) -> None:
        """Bring the record's devices where it says, a page at a time."""
        while devices:
            await self._settle_all(imported, devices)
            last = devices[-1]
            devices = await self._registry.read(
                lambda tx, last=last: _devices_of(tx, record, last)  # type: ignore[misc]
            )

    async def _settle_all(self, imported: SalesImport, devices: Sequence[DeviceId]) -> None:
        """Bring devices where the import says, in as many transactions as the pace wants."""
        rest = iter(devices)
        while some := list(islice(rest, self._pace.steps)):
            await self._settle(imported, some)

    async def _settle(self, imported: SalesImport, devices: Sequence[DeviceId]) -> None:
        intake, now = self._intake, self._intake.clock.now()

        async def verb(tx: Transaction) -> list[Effect | Left]:
            return [
                await settle(tx, device, imported.number, actor=intake.actor, now=now)
                for device in devices
            ]

        report = self._report
        for effect in await self._pace.transact(self._registry, verb, len(devices)):
            if isinstance(effect, Left):
                self._fail(LineFault(0, f"{effect.record.source}: {effect.reason}"))
            report.assigned += effect is Effect.ASSIGNED
            report.moved += effect is Effect.MOVED
            report.freed += effect is Effect.FREED

    def _fail(self, fault: LineFault) -> None:
        self._report.failed += 1
        if len(self._report.faults) < FAULTS_KEPT:
            self._report.faults.append(fault)
        self._intake.on_fault(fault)


async def _checked(
    tx: Transaction, lines: Sequence[SalesLine], places: set[tuple[str, str | None]]
) -> list[LineFault | None]:
    came_of: list[LineFault | None] = []
    to_check = {id(r) for r in await speaking_of_any(tx, [line.record for line in lines])}
    for line in lines:
        try:
            if id(line.record) in to_check:
                await check_devices(tx, line.record)
            await _demand_place(tx, line.record, places)
            came_of.append(None)
        except HomeportError as error:
            came_of.append(fault_of(line, error))
    return came_of


async def _keep_all(
    tx: Transaction, lines: Sequence[SalesLine], imported: SalesImport
) -> list[LineFault | News]:
    await tx.sales_imports.put(imported)
    return [came_of for part in apart(lines) for came_of in await keep(tx, part)]


async def _demand_place(
    tx: Transaction, record: SalesRecord, known: set[tuple[str, str | None]]
) -> None:
    """Refuse an unknown tenant or upstream; each is looked up once."""
    if record.tenant is None or (record.tenant, record.upstream) in known:
        return
    await known_place(tx, record.tenant, record.upstream)
    known.add((record.tenant, record.upstream))


async def _touched(
    tx: Transaction, number: int, after: int
) -> tuple[int | None, list[tuple[SalesRecord, Sequence[DeviceId]]]]:
    """Look at the import's next records; return the last one's number, None if there is none.

    And those that speak of registered devices, each with the first of them.
    """
    records = await tx.sales.of_import(number, after=after, limit=PAGE)
    some = await speaking_of_any(tx, records)
    found = [(record, await _devices_of(tx, record, None)) for record in some]
    last = records[-1].number if records else None
    return last, [(record, devices) for record, devices in found if devices]


async def _devices_of(
    tx: Transaction, record: SalesRecord, after: DeviceId | None
) -> Sequence[DeviceId]:
    """Return devices whose state may not fit the record, in order, beyond `after`."""
    scope, authority = record.scope, record.authority
    found = set()
    if record.tenant is not None:
        found |= {d.id for d in await tx.devices.unowned(scope, authority, PAGE, after=after)}
    if record.action is not SalesAction.SALE:
        others = await tx.devices.contested(scope, authority, record.tenant, PAGE, after=after)
        found |= {device.id for device in others}
    # Both lists are in one order; beyond the shorter one's end the other has to wait.
    return sorted(found, key=_place_in(record))[:PAGE]


def _place_in(record: SalesRecord) -> Callable[[DeviceId], tuple[str, str]]:
    is_model = isinstance(record.scope, WholeModel)
    return lambda device: ("" if is_model else device.serial_number, str(device))
