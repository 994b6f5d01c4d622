# SPDX-License-Identifier: Apache-2.0
"""Import sales records: before, with or after the devices' first contact; all of them or none.

A record for a device that is registered already takes effect at once and wakes it if it waits.
Claims, corrections and transfers join this when the full ledger comes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from homeport.domain.audit import AuditEvent, Name
from homeport.domain.device import DeviceId
from homeport.domain.ownership import SalesRecord
from homeport.errors import Code, HomeportError
from homeport.provisioning.enrolment.place import sold
from homeport.provisioning.imports.sales_file import LineFault, SalesLine
from homeport.provisioning.ownership.own import known_place, own
from homeport.provisioning.ports import Transaction

CHUNK: Final = 500
"""Devices assigned per query: a bounded list in memory, however long the range."""


@dataclass(slots=True)
class SalesReport:
    """What an import did, or why it did nothing."""

    records: int = 0
    new: int = 0
    assigned: int = 0
    faults: list[LineFault] = field(default_factory=list)


class SalesFaultsError(HomeportError):
    """Lines that cannot be taken; nothing was imported."""

    def __init__(self, code: Code, faults: list[LineFault]) -> None:
        """Take the faults; the first ones stand in the detail."""
        first = "; ".join(f"line {fault.line}: {fault.reason}" for fault in faults[:5])
        more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""  # noqa: PLR2004
        super().__init__(code, first + more)
        self.faults = faults


async def import_sales(
    tx: Transaction,
    lines: Iterable[SalesLine | LineFault],
    *,
    source: str,
    actor: str,
    now: datetime,
) -> SalesReport:
    """Keep all records and assign their registered devices; SalesFaultsError keeps nothing."""
    report = SalesReport()
    conflict = False
    for line in lines:
        if isinstance(line, LineFault):
            report.faults.append(line)
            continue
        report.records += 1
        try:
            await _import(tx, line.record, report, actor, now)
        except HomeportError as error:
            conflict = conflict or error.code is Code.SALES_CONFLICT
            report.faults.append(LineFault(line.line, str(error)))
    if report.faults:
        code = Code.SALES_CONFLICT if conflict else Code.SALES_MALFORMED
        raise SalesFaultsError(code, report.faults)
    facts: dict[str, str | int] = {"count": report.records, "source": source}
    await tx.audit.record(AuditEvent(name=Name.SALES_IMPORTED, at=now, actor=actor, facts=facts))
    return report


async def _import(
    tx: Transaction, record: SalesRecord, report: SalesReport, actor: str, now: datetime
) -> None:
    await known_place(tx, record.tenant, record.upstream)
    for other in await tx.sales.overlapping(record.serial_numbers, record.authority):
        if (other.tenant, other.upstream) != (record.tenant, record.upstream):
            raise HomeportError(Code.SALES_CONFLICT, f"{other.source} gives it to {other.tenant}")
    report.new += await tx.sales.add([record])
    after: DeviceId | None = None
    while waiting := await tx.devices.unowned(
        record.serial_numbers, record.authority, CHUNK, after=after
    ):
        after = waiting[-1].id
        for device in waiting:
            owned, event = await own(tx, device, sold(record), actor=actor, now=now)
            await tx.devices.put(owned)
            await tx.audit.record(event)
        report.assigned += len(waiting)
