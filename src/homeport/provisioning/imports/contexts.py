# SPDX-License-Identifier: Apache-2.0
"""Change the contexts of many devices by a file: all lines or none, or the good ones; or try it.

All or none is one transaction. The good ones are taken in groups, so that a long file holds nobody
up; each line is whole. To try is to do it and undo it, so it finds what doing would find. Lines are
read in a thread: a long file must not keep the event loop, which answers the broker.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

from homeport.domain.context.document import Document
from homeport.domain.device import Device, DeviceId
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.context.change_context import change_context
from homeport.provisioning.context.held import context_of
from homeport.provisioning.imports.context_file import ContextLine
from homeport.provisioning.imports.sales_file import LineFault
from homeport.provisioning.ports import Registry, Transaction

GROUP: Final = 500
"""Lines in one transaction: others wait for it for a tenth of a second."""
ALL_OR_NONE_MAX: Final = 2000
"""Lines of one transaction that others can bear to wait for: less than a second."""
FAULTS_KEPT: Final = 1000
"""Wrong lines that a report names; the others are counted."""
TOLD: Final = 5
"""Faults in the detail of a refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How to import."""

    good_lines: bool = False
    """Take what can be taken; else nothing if any line is wrong."""
    dry_run: bool = False
    """Only say what would happen."""


@dataclass(slots=True)
class ContextReport:
    """What an import did, or would do."""

    lines: int = 0
    changed: int = 0
    wrong: int = 0
    faults: list[LineFault] = field(default_factory=list)
    """The first of the wrong lines."""

    def fail(self, fault: LineFault) -> None:
        """Count a wrong line."""
        self.wrong += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(fault)


class ContextLinesError(HomeportError):
    """Lines that cannot be taken; nothing was changed."""

    def __init__(self, report: ContextReport) -> None:
        """Take what was found; the first faults stand in the detail."""
        faults = report.faults
        first = "; ".join(f"line {fault.line}: {fault.reason}" for fault in faults[:TOLD])
        more = f"; and {report.wrong - TOLD} more" if report.wrong > TOLD else ""
        super().__init__(Code.CONTEXT_LINES_WRONG, first + more)
        self.faults = faults


class _UndoneError(Exception):
    """Ends a transaction whose work was only tried."""


async def import_contexts(
    registry: Registry,
    tenant: str,
    lines: Iterable[ContextLine | LineFault],
    way: Way,
    *,
    actor: str,
    now: datetime,
) -> ContextReport:
    """Apply each line to the tenant's device that it names; ContextLinesError keeps nothing."""
    report = ContextReport()
    work = partial(_take_all, tenant=tenant, actor=actor, now=now)
    if way.good_lines:
        ahead = iter(lines)
        while group := await asyncio.to_thread(_some, ahead, GROUP):
            await _run(registry, partial(work, lines=group, report=report), way)
        return report
    group = await asyncio.to_thread(_some, iter(lines), ALL_OR_NONE_MAX + 1)
    if len(group) > ALL_OR_NONE_MAX:
        detail = f"more than {ALL_OR_NONE_MAX} lines at once; ask for the good ones"
        raise MalformedError(detail, Code.TOO_LARGE)

    async def strictly(tx: Transaction) -> None:
        await work(tx, lines=group, report=report)
        if report.wrong and not way.dry_run:
            raise ContextLinesError(report)

    await _run(registry, strictly, way)
    return report


async def _run(
    registry: Registry, work: Callable[[Transaction], Awaitable[None]], way: Way
) -> None:
    async def tried(tx: Transaction) -> None:
        await work(tx)
        if way.dry_run:
            raise _UndoneError

    try:
        await registry.transact(tried)
    except _UndoneError:
        return


def _some(lines: Iterator[ContextLine | LineFault], many: int) -> list[ContextLine | LineFault]:
    return list(islice(lines, many))


async def _take_all(
    tx: Transaction,
    *,
    tenant: str,
    lines: Iterable[ContextLine | LineFault],
    report: ContextReport,
    actor: str,
    now: datetime,
) -> None:
    kinds: dict[str, dict[str, str]] = {}
    for line in lines:
        report.lines += 1
        if isinstance(line, LineFault):
            report.fail(line)
            continue
        try:
            device = await _device(tx, tenant, line)
            if device.model not in kinds:
                schema = await tx.schemas.latest(tenant, device.model)
                kinds[device.model] = _kinds(schema.document if schema else {})
            before = await context_of(tx, device)
            patch = line.patch(kinds[device.model])
            after = await change_context(tx, device, patch, actor=actor, now=now)
            report.changed += after.version > before.version
        except HomeportError as error:
            report.fail(LineFault(line.line, error.detail or error.title))


async def _device(tx: Transaction, tenant: str, line: ContextLine) -> Device:
    if line.authority is not None:
        found = [await tx.devices.get(DeviceId(line.authority, line.serial_number))]
    else:
        found = list(await tx.devices.find(line.serial_number))
    mine = [each for each in found if each is not None and each.tenant == tenant]
    if len(mine) != 1:
        raise HomeportError(
            Code.DEVICE_UNKNOWN,
            f"{line.serial_number} names several devices: give its authority"
            if mine
            else f"{tenant} has no device {line.serial_number}",
        )
    return mine[0]


def _kinds(schema: Document) -> dict[str, str]:
    return {name: rules["type"] for name, rules in schema.get("properties", {}).items()}
