# SPDX-License-Identifier: Apache-2.0
"""`homeport factory mint`."""

import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from homeport.factory import mint as library
from homeport.factory.archive.file import ArchiveWriter, write_archive
from homeport.factory.archive.records import DeviceRecord, Order
from homeport.factory.cli.output import (
    Directory,
    Json,
    counted,
    now,
    print_json,
    progress,
    say,
    warn,
)
from homeport.factory.factory import Factory
from homeport.factory.key_sources import (
    KeySource,
    RequestedKeys,
    SoftwareKeys,
    TokenKeys,
    read_requests,
    refuse_known_keys,
)
from homeport.factory.orders import (
    Counting,
    Wish,
    counted_order,
    listed_order,
    missing_serial_numbers,
    read_serial_numbers,
)
from homeport.factory.store import prepare, write_stores

WIDTH: Final = 6
"""Digits of a counted serial number: a million devices of one model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What was asked for."""

    wish: Wish
    keys: KeySource
    counting: Counting | None
    serial_numbers: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What of it is left to do."""

    order: Order | None
    missing: Iterable[str]
    left: int
    already: int
    is_wanted: Callable[[DeviceRecord], bool]


def mint(
    directory: Directory,
    model: Annotated[str, typer.Option(help="Model of the devices.")],
    count: Annotated[int | None, typer.Option(min=1, help="How many to mint.")] = None,
    serial_prefix: Annotated[
        str | None, typer.Option(help="Before the counted digits; default: the model and a dash.")
    ] = None,
    start: Annotated[
        int | None, typer.Option(min=0, help="First number; default: where the prefix ended.")
    ] = None,
    width: Annotated[int, typer.Option(min=1, max=20, help="Digits of the number.")] = WIDTH,
    serial_file: Annotated[
        Path | None, typer.Option(help="File with one serial number a line, instead of counting.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="PKCS#11 URI of the token in which the devices' keys are made."),
    ] = None,
    csr: Annotated[
        list[Path] | None, typer.Option(help="PKCS#10 file of a key made outside; repeat it.")
    ] = None,
    hardware_type: Annotated[
        str | None,
        typer.Option(
            help="OID of your type of hardware: IDevIDs then name it, and the serial number,"
            " as HardwareModuleName (RFC 4108).",
            metavar="OID",
        ),
    ] = None,
    split: Annotated[
        Path | None, typer.Option(help="Write a device store for each device below here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Mint device identities. After an interruption, the same command goes on."""
    if sum(each is not None for each in (count, serial_file, csr)) != 1:
        raise typer.BadParameter("give one of --count, --serial-file and --csr")
    if csr and key:
        raise typer.BadParameter("a key made outside (--csr) is not made in a token (--key)")
    factory = Factory(directory)
    if split:
        _ = factory.platform_anchors
        prepare(split)
    keys = _source(key, csr)
    prefix = f"{model}-" if serial_prefix is None else serial_prefix
    task = _Task(
        wish=Wish(
            model=model,
            hardware_identity=keys.hardware_identity,
            hardware_type=hardware_type,
            stores=str(split.resolve()) if split else None,
        ),
        keys=keys,
        counting=Counting(prefix=prefix, count=count, start=start, width=width) if count else None,
        serial_numbers=_listed(serial_file, keys),
    )
    try:
        work = _mint(factory, task, quiet=as_json)
    except KeyboardInterrupt:
        warn("Interrupted; what was made is kept. The same command goes on with what is missing.")
        raise typer.Exit(128 + signal.SIGINT) from None
    _tell(factory, work, split, as_json=as_json)


def _source(token: str | None, requests: list[Path] | None) -> KeySource:
    if requests:
        return RequestedKeys(read_requests(requests))
    return TokenKeys(token) if token else SoftwareKeys()


def _listed(serial_file: Path | None, keys: KeySource) -> Sequence[str]:
    if serial_file:
        return read_serial_numbers(serial_file)
    return list(keys.requests) if isinstance(keys, RequestedKeys) else []


def _mint(factory: Factory, task: _Task, *, quiet: bool) -> _Work:
    moment = now()
    _ = factory.minter  # A wrong passphrase or an absent token must not leave an order behind.
    with write_archive(factory.archive) as archive:
        if archive.torn_bytes:
            warn(f"An earlier run was interrupted; {archive.torn_bytes} torn bytes were cut off.")
        if isinstance(task.keys, RequestedKeys):
            refuse_known_keys(task.keys.requests, archive.records())
        work = _plan(archive, task, moment)
        if work.already and work.order is not None and not quiet:
            warn(f"Going on with order {work.order.id}: {work.already} were minted already.")
        if work.order is not None and work.left:
            with progress("Minting", work.left, quiet=quiet) as report:
                order = (work.order, work.missing)
                library.mint(factory, archive, task.keys, order, moment, report)
        if task.wish.stores:
            _split(factory, archive, work, Path(task.wish.stores), quiet=quiet)
    return work


def _plan(archive: ArchiveWriter, task: _Task, moment: datetime) -> _Work:
    if task.counting is None:
        wanted = frozenset(task.serial_numbers)
        order, missing = listed_order(archive, task.wish, task.serial_numbers, moment)
        return _Work(
            order=order,
            missing=missing,
            left=len(missing),
            already=len(wanted) - len(missing),
            is_wanted=lambda record: record.serial_number in wanted,
        )
    counted = counted_order(archive, task.wish, task.counting, moment)
    if task.wish.stores:
        archive.note_stores(counted.id, task.wish.stores, done=False)
    already = archive.minted[counted.id]
    return _Work(
        order=counted,
        missing=missing_serial_numbers(archive, counted),
        left=counted.count - already,
        already=already,
        is_wanted=lambda record: record.order == counted.id,
    )


def _split(
    factory: Factory, archive: ArchiveWriter, work: _Work, directory: Path, *, quiet: bool
) -> None:
    records = (
        record
        for record in archive.records()
        if isinstance(record, DeviceRecord) and work.is_wanted(record)
    )
    with progress("Writing stores", work.left + work.already, quiet=quiet) as report:
        write_stores(factory, records, directory, report)
    if work.order is not None:
        archive.note_stores(work.order.id, str(directory), done=True)


def _tell(factory: Factory, work: _Work, split: Path | None, *, as_json: bool) -> None:
    order = work.order
    first, last = _ends(order)
    if as_json:
        print_json(
            {"minted": work.left, "already": work.already, "order": order and order.id}
            | {"first": first, "last": last, "stores": str(split) if split else None}
        )
        return
    numbers = "" if first is None else f": {first}" if first == last else f": {first} to {last}"
    before = f", {work.already} already there" if work.already else ""
    say(f"{counted(work.left, 'device')} minted{numbers}{before}.")
    if split:
        say(f"Device stores are in {split}. They hold secrets: move each to its device.")
    if split and order and order.hardware_identity == "external":
        say("Put the URI of each private key as idevid_key into the store's device.toml.")
    if order and order.hardware_identity == "file":
        warn("Their keys are software keys: for development only, and shown as such everywhere.")
    say(f"Next:  homeport factory hand-over {factory.directory} --output manifest.jsonl")


def _ends(order: Order | None) -> tuple[str | None, str | None]:
    if order is None or not order.is_counted:
        return None, None
    return order.serial_number(0), order.serial_number(order.count - 1)
