# SPDX-License-Identifier: Apache-2.0
"""Whether a sales record may be taken: against other records, and against devices as they are."""

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Final

from homeport.domain.device import Device
from homeport.domain.ownership import (
    ImportState,
    Ownership,
    SalesAction,
    SalesRecord,
    contradicted,
    only_serial,
)
from homeport.errors import Code, HomeportError
from homeport.provisioning.imports.sales_file import LineFault, SalesLine
from homeport.provisioning.ownership.revocable import reason_to_stay
from homeport.provisioning.ports import Transaction

PAGE: Final = 200
"""Devices looked at at once: a bounded list in memory, however wide the record."""


OVERLAPS_MAX: Final = 100
"""As many overlapping records are returned at most."""


class News(Enum):
    """What a record adds to what was said before."""

    NEW = auto()
    KNOWN = auto()  # said before, and it still decides
    OUTDATED = auto()  # said before, and taken back since


def apart(lines: Sequence[SalesLine]) -> Iterator[Sequence[SalesLine]]:
    """Split them so that no two of a part speak of one device: such lines may be kept at once."""
    part: list[SalesLine] = []
    serials: set[str] = set()
    for line in lines:
        serial = only_serial(line.record.scope)
        if part and (serial is None or serial in serials):
            yield part
            part, serials = [], set()
        if serial is None:
            yield [line]
        else:
            part.append(line)
            serials.add(serial)
    if part:
        yield part


async def keep(tx: Transaction, lines: Sequence[SalesLine]) -> list[News | LineFault]:
    """Keep the records that may be and say something new; say of each line what came of it.

    They are `apart`; their tenants and upstreams are known.
    """
    came_of: list[News | LineFault] = []
    new: list[SalesRecord] = []
    known = await tx.sales.overlapping(*(line.record for line in lines))
    for line, others in zip(lines, known, strict=True):
        try:
            news, is_kept = await _weigh(tx, line.record, line.former, others)
        except HomeportError as error:
            came_of.append(fault_of(line, error))
        else:
            came_of.append(news)
            if news is News.NEW and not is_kept:
                new.append(line.record)
    if new:
        await tx.sales.add(*new)
    return came_of


def fault_of(line: SalesLine, error: HomeportError) -> LineFault:
    """Say what is wrong with the line, unless it is the registry that fails."""
    if error.code is Code.STORAGE_UNAVAILABLE:
        raise error
    return LineFault(line.line, str(error), error.code)


async def _weigh(
    tx: Transaction, record: SalesRecord, former: str | None, known: Sequence[SalesRecord]
) -> tuple[News, bool]:
    """Say what the record adds, and whether it was kept before; `former`: who a cancellation names.

    HomeportError(SALES_CONFLICT).
    """
    said = [r for r in known if (r.scope, r.authority) == (record.scope, record.authority)]
    if len(known) >= OVERLAPS_MAX:  # those of this very scope may be beyond
        said = list(await tx.sales.of_scope(record.scope, record.authority))
    news = _news(said, record)
    if news is not News.NEW or _is_kept(said, record):
        return news, True
    if record.action is SalesAction.SALE:
        rival = contradicted(record, known)
        if rival is not None:
            is_undecided = await _is_undecided(tx, rival, record)
            raise HomeportError(
                Code.SALES_CONFLICT,
                f"{rival.source} gives {rival.scope} to {rival.tenant}"
                + (" (an import that is not finished)" if is_undecided else "")
                + ": import a correction, or cancel that record first",
            )
    elif record.action is SalesAction.CANCELLATION:
        await _check_cancellation(tx, record, former, [r.tenant for r in known])
    return News.NEW, False


async def _is_undecided(tx: Transaction, rival: SalesRecord, record: SalesRecord) -> bool:
    """Whether the rival is of another import, which may still come to nothing."""
    if rival.imported_by is None or rival.imported_by == record.imported_by:
        return False
    imported = await tx.sales_imports.get(rival.imported_by)
    return imported is not None and imported.state is ImportState.READING


def _news(said: Sequence[SalesRecord], record: SalesRecord) -> News:
    """Say whether exactly this was said before, by another import."""
    others = [r for r in said if r.imported_by != record.imported_by or r.imported_by is None]
    if not any(other.says_as(record) for other in others):
        return News.NEW
    return News.KNOWN if others[0].says_as(record) else News.OUTDATED


def _is_kept(said: Sequence[SalesRecord], record: SalesRecord) -> bool:
    """Whether this import has kept it already, before it was interrupted."""
    mine = record.imported_by
    return mine is not None and any(r.imported_by == mine and r.says_as(record) for r in said)


async def _check_cancellation(
    tx: Transaction, record: SalesRecord, former: str | None, tenants: list[str | None]
) -> None:
    sold_to = {tenant for tenant in tenants if tenant is not None}
    if former is not None and sold_to and former not in sold_to:
        raise HomeportError(
            Code.SALES_CONFLICT, f"{record.scope} was sold to {min(sold_to)}, not to {former}"
        )
    if not sold_to and not await tx.devices.contested(record.scope, record.authority, None, 1):
        raise HomeportError(
            Code.SALES_CONFLICT, f"there is nothing to cancel: no record speaks of {record.scope}"
        )


async def speaking_of_any(tx: Transaction, records: Sequence[SalesRecord]) -> list[SalesRecord]:
    """Leave out those of single devices that are not registered yet: one question for all."""
    serials = [only_serial(record.scope) for record in records]
    there = await tx.devices.registered([serial for serial in serials if serial is not None])
    return [r for r, s in zip(records, serials, strict=True) if s is None or s in there]


async def check_devices(tx: Transaction, record: SalesRecord) -> None:
    """Refuse a new record that registered devices speak against (SALES_CONFLICT).

    It only reads, and may take long for a wide record: no write lock is held meanwhile.
    """
    after = None
    while page := await tx.devices.contested(
        record.scope, record.authority, record.tenant, PAGE, after=after
    ):
        said = await tx.sales.of_scope(record.scope, record.authority) if after is None else []
        if _news(said, record) is not News.NEW:
            return
        after = page[-1].id
        for device in page:
            reason = await objection(tx, device, record)
            if reason is not None:
                raise HomeportError(Code.SALES_CONFLICT, reason)


async def objection(tx: Transaction, device: Device, record: SalesRecord) -> str | None:
    """Say what in the device's present state speaks against the record."""
    decides = await tx.sales.covering(device)
    if decides is not None and decides.width < record.width:
        return None  # a narrower record speaks of this device
    return await reason_against(tx, device, record)


async def reason_against(tx: Transaction, device: Device, record: SalesRecord) -> str | None:
    """Say the same of the record that decides about the device."""
    name = device.id.serial_number
    if device.ownership is Ownership.CLAIMED:
        claim = await tx.claims.pending(device.id)
        if claim is None or record.tenant is None or claim.tenant == record.tenant:
            return None
        return f"{name} is claimed by {claim.tenant}: withdraw that claim, or sell it to them"
    if device.tenant in (None, record.tenant):
        return None
    if record.action is SalesAction.SALE:
        return f"{name} belongs to {device.tenant}: import a correction, or let them transfer it"
    return await reason_to_stay(tx, device)
