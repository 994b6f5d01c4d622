# SPDX-License-Identifier: Apache-2.0
"""`/sales`: what an ERP system says about which devices went to whom."""

from collections.abc import Iterator
from typing import Final

from fastapi import APIRouter

from homeport.api.server.ask import Ask, Posted, needs
from homeport.api.wire.ownership import ImportedSales, NewSales, SalesFault
from homeport.domain.people import Permission
from homeport.errors import MalformedError
from homeport.provisioning.imports.sales import (
    Intake,
    SalesFaultsError,
    SalesReport,
    import_sales,
)
from homeport.provisioning.imports.sales_file import LineFault, SalesLine, read_cells
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/sales", tags=["sales"])


@router.post("", **needs(Permission.SALES_WRITE, 409))
async def import_sales_records(new: NewSales, ask: Posted) -> ImportedSales:
    """Import sales, corrections and cancellations: all of them, or the good ones, as asked.

    Where nothing was taken, `failed` is not 0 and `new` is.
    """
    ask.demand(None, "sales")
    before = await ask.answered(ImportedSales)
    if before is not None:
        return before
    intake = Intake(
        source=f"API, by {ask.actor}",
        digest=await ask.fingerprint(),
        actor=ask.actor,
        clock=ask.parts.clock,
        is_all_or_none=new.all_or_none,
        is_dry_run=new.dry_run,
    )
    try:
        report = await import_sales(ask.registry(), _lines(new, ask), intake)
    except SalesFaultsError as error:
        report = error.report
        report.new = report.outdated = report.records = 0
    answer = _answer(report)

    async def keep(_tx: Transaction) -> ImportedSales:
        return answer

    return await ask.once(ImportedSales, keep)


def _lines(new: NewSales, ask: Ask) -> Iterator[SalesLine | LineFault]:
    for number, record in enumerate(new.records, 1):
        source = f"API, by {ask.actor}, record {number}"
        cells = {name: cell.strip() for name, cell in record.model_dump().items()}
        try:
            yield read_cells(cells, number, source, ask.now)
        except MalformedError as error:
            yield LineFault(number, error.detail)


def _answer(report: SalesReport) -> ImportedSales:
    return ImportedSales(
        records=report.records,
        new=report.new,
        outdated=report.outdated,
        assigned=report.assigned,
        moved=report.moved,
        freed=report.freed,
        failed=report.failed,
        faults=[
            SalesFault(record=fault.line or None, code=fault.code, reason=fault.reason)
            for fault in report.faults
        ],
    )
