# SPDX-License-Identifier: Apache-2.0
"""Which serial numbers to mint, so that an interrupted order goes on and none is minted twice.

An order is written to the archive before its first device. Asked for the same again, the factory
finishes what was interrupted before it begins anything new.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from homeport.artefacts.manifest import HardwareIdentity
from homeport.domain.device import check_serial_number
from homeport.errors import Code, HomeportError, MalformedError
from homeport.factory.archive.file import ArchiveWriter
from homeport.factory.archive.records import Order
from homeport.pki.subjects import hardware_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be minted: so many of a model."""

    model: str
    hardware_identity: HardwareIdentity
    hardware_type: str | None = None
    """OID for the HardwareModuleName; None: IDevIDs have none."""
    stores: str | None = None
    """Directory for device stores, absolute; None: none are wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """Serial numbers by counting: prefix, then digits of one width."""

    prefix: str
    count: int
    start: int | None
    """None: go on where this prefix ended."""
    width: int


def counted_order(archive: ArchiveWriter, wish: Wish, counting: Counting, now: datetime) -> Order:
    """Return the order to work on: an earlier one that is the same, or a new one, now begun.

    It is an earlier one if that has devices to mint or, in the same directory, stores to write.

    Raise ALREADY_EXISTS if a serial number belongs to another order, SETTING_WRONG if the numbers
    do not fit, MalformedError for a prefix or model that no certificate can carry.
    """
    same = [order for order in archive.orders.values() if _is_same(order, wish, counting)]
    for order in same:
        unfinished = archive.minted[order.id] < order.count
        unwritten = (order.id, wish.stores) in archive.unwritten
        if unfinished or unwritten or counting.start is not None:
            return order
    start = counting.start
    if start is None:
        start = _next_number(archive, counting)
    order = Order(
        id=_next_id(archive),
        at=int(now.timestamp()),
        model=wish.model,
        hardware_identity=wish.hardware_identity,
        count=counting.count,
        prefix=counting.prefix,
        start=start,
        width=counting.width,
        hardware_type=wish.hardware_type,
    )
    _check_new(archive, order)
    archive.begin(order)
    return order


def listed_order(
    archive: ArchiveWriter, wish: Wish, serial_numbers: Sequence[str], now: datetime
) -> tuple[Order | None, Sequence[str]]:
    """Return an order, now begun, for those of the serial numbers that are not minted yet.

    None if there are none. Raise ALREADY_EXISTS if one was minted as another model.
    """
    missing = []
    for serial_number in serial_numbers:
        earlier = archive.order_of.get(serial_number)
        if earlier is None:
            missing.append(serial_number)
        elif archive.orders[earlier].model != wish.model:
            detail = f"{serial_number} was minted as {archive.orders[earlier].model}"
            raise HomeportError(Code.ALREADY_EXISTS, detail)
    if not missing:
        return None, missing
    order = Order(
        id=_next_id(archive),
        at=int(now.timestamp()),
        model=_named(wish.model),
        hardware_identity=wish.hardware_identity,
        count=len(missing),
        hardware_type=wish.hardware_type,
    )
    for serial_number in missing:
        _check_hardware(order, serial_number)
    archive.begin(order)
    return order, missing


def missing_serial_numbers(archive: ArchiveWriter, order: Order) -> Iterator[str]:
    """Yield the serial numbers of a counted order that are not minted yet."""
    for place in range(order.count):
        serial_number = order.serial_number(place)
        if serial_number not in archive.order_of:
            yield serial_number


def read_serial_numbers(path: Path) -> Sequence[str]:
    """Read a file with one serial number a line; blank lines are passed over.

    Raise FILE_MISSING, or MalformedError that names the first bad line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MalformedError(f"{path} is not UTF-8") from None
    found: dict[str, int] = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if line:
            _note(found, line, number, path)
    if not found:
        raise MalformedError(f"{path} has no serial numbers")
    return list(found)


def _note(found: dict[str, int], serial_number: str, number: int, path: Path) -> None:
    try:
        check_serial_number(serial_number)
    except MalformedError as error:
        raise MalformedError(f"{path}, line {number}: {error.detail}") from None
    if serial_number in found:
        first = found[serial_number]
        raise MalformedError(f"{path}, line {number}: {serial_number} is in line {first} too")
    found[serial_number] = number


def _is_same(order: Order, wish: Wish, counting: Counting) -> bool:
    return (
        (order.model, order.hardware_identity, order.hardware_type)
        == (wish.model, wish.hardware_identity, wish.hardware_type)
        and (order.prefix, order.width, order.count)
        == (counting.prefix, counting.width, counting.count)
        and counting.start in (None, order.start)
    )


def _next_id(archive: ArchiveWriter) -> int:
    return max(archive.orders, default=0) + 1


def _next_number(archive: ArchiveWriter, counting: Counting) -> int:
    """Return the number after the highest of this prefix, minted or only ordered."""
    highest = 0
    for order in archive.orders.values():
        if order.prefix == counting.prefix:
            highest = max(highest, order.start + order.count - 1)
    length = len(counting.prefix)
    for serial_number in archive.order_of:
        digits = serial_number[length:]
        if serial_number.startswith(counting.prefix) and digits.isdecimal() and digits.isascii():
            highest = max(highest, int(digits))
    return highest + 1


def _check_new(archive: ArchiveWriter, order: Order) -> None:
    _named(order.model)
    if order.count < 1 or order.start < 0:
        raise HomeportError(Code.SETTING_WRONG, "count and start are positive")
    last = order.serial_number(order.count - 1)
    check_serial_number(last)
    _check_hardware(order, last)
    if len(str(order.start + order.count - 1)) > order.width:
        raise HomeportError(Code.SETTING_WRONG, f"{last} has more digits than width {order.width}")
    for place in range(order.count):
        serial_number = order.serial_number(place)
        if serial_number in archive.order_of:
            detail = f"{serial_number} was minted by order {archive.order_of[serial_number]}"
            raise HomeportError(Code.ALREADY_EXISTS, detail)


def _check_hardware(order: Order, serial_number: str) -> None:
    """Raise SETTING_WRONG if no certificate can carry the HardwareModuleName."""
    try:
        hardware = order.hardware(serial_number)
        if hardware is not None:
            hardware_name(hardware)
    except (ValueError, HomeportError) as error:
        detail = f"hardware type {order.hardware_type!r} with {serial_number}: {error}"
        raise HomeportError(Code.SETTING_WRONG, detail) from None


def _named(model: str) -> str:
    try:
        check_serial_number(model)
    except MalformedError:
        raise MalformedError("a model has 1 to 64 printable characters") from None
    return model
