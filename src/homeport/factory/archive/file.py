# SPDX-License-Identifier: Apache-2.0
"""The archive: every device that this factory minted, in one file that is only added to.

Its records are the truth. A device exists when its record is on the disk; whatever else is made of
it (directory, label, manifest) is made afterwards and can be made again. Rules:
- one writer at a time (flock, released by the kernel whatever happens to the process);
- records are written in batches, and believed after fsync;
- after a crash the end of the file may be torn: what cannot be read there was never believed by
  anybody and is cut off. Damage anywhere else is not mended but reported.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from homeport.errors import Code, HomeportError
from homeport.factory.archive.records import (
    VERSION,
    ArchiveHeader,
    DeviceRecord,
    Order,
    Record,
    Stores,
    decode_header,
    decode_mention,
    decode_record,
    encode,
)
from homeport.factory.archive.sealing import SALT_BYTES, Seal
from homeport.files import create_private_file
from homeport.keys import Secret

BATCH: Final = 512
"""Records for each fsync, about half a megabyte: the disk's pause is then a tenth of the work."""
TORN_MAX_BYTES: Final = 2 * 1024 * 1024
"""Twice a batch: only so far from its end can a crash have torn the file."""
LINE_MAX_BYTES: Final = 16_384
"""A record takes 1.2 kB; its certificate has at most 4 kB."""

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError)


def create_archive(path: Path, passphrase: Secret) -> None:
    """Make an empty archive under the passphrase."""
    salt = os.urandom(SALT_BYTES)
    check = Seal(passphrase, salt).make_check()
    create_private_file(path, encode(ArchiveHeader(VERSION, salt, check)) + b"\n")


def open_seal(path: Path, passphrase: Secret) -> Seal:
    """Return what opens the archive's secrets; raise PASSPHRASE_WRONG, ARCHIVE_DAMAGED."""
    with _opened(path, "rb") as file:
        header = _read_header(path, file)
    seal = Seal(passphrase, header.salt)
    seal.check(header.check)
    return seal


def read_archive(path: Path) -> Iterator[Record]:
    """Yield all records in order, in bounded memory. Raise FACTORY_BUSY, ARCHIVE_DAMAGED."""
    with _opened(path, "rb") as file:
        _lock(path, file, fcntl.LOCK_SH)
        _read_header(path, file)
        for _, line in _whole_lines(path, file):
            try:
                yield decode_record(line)
            except UNREADABLE:
                _refuse_unless_torn(path, file, len(line))
                return


class ArchiveWriter:
    """The one writer, and what a scan of the archive told it."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """Scan the archive and cut off a torn end; the lock is held."""
        self._path = path
        self._file = file
        self.orders: Final[dict[int, Order]] = {}
        self.order_of: Final[dict[str, int]] = {}
        """Which order each serial number was minted under."""
        self.minted: Final[dict[int, int]] = {}
        """How many devices of each order there are."""
        self.unwritten: Final[set[tuple[int, str]]] = set()
        """Orders of which the stores in a directory were begun and not finished."""
        self.torn_bytes: Final = self._scan()

    def begin(self, order: Order) -> None:
        """Write an order, durably."""
        self._note_order(order)
        self._append([order])

    def add(self, records: Sequence[DeviceRecord]) -> None:
        """Write devices, durably: when this returns they are minted."""
        self._append(records)
        for record in records:
            self._note_device(record.serial_number, record.order)

    def note_stores(self, order: int, directory: str, *, done: bool) -> None:
        """Write down, durably, that an order's stores in a directory are begun, or all there."""
        if ((order, directory) in self.unwritten) is done:
            stores = Stores(order=order, directory=directory, done=done)
            self._append([stores])
            self._note_stores(stores)

    def records(self) -> Iterator[Record]:
        """Yield all records in order; none may be added meanwhile."""
        self._file.seek(0)
        _read_header(self._path, self._file)
        for _, line in _whole_lines(self._path, self._file):
            yield decode_record(line)

    def _append(self, records: Sequence[Record]) -> None:
        self._file.seek(0, os.SEEK_END)
        self._file.write(b"".join(encode(record) + b"\n" for record in records))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _scan(self) -> int:
        _read_header(self._path, self._file)
        good = self._file.tell()
        for end, line in _whole_lines(self._path, self._file):
            try:
                mention = decode_mention(line)
            except UNREADABLE:
                _refuse_unless_torn(self._path, self._file, len(line))
                break
            match mention:
                case Order():
                    self._note_order(mention)
                case Stores():
                    self._note_stores(mention)
                case _:
                    self._note_device(mention.serial_number, mention.order)
            good = end
        return self._cut(good)

    def _note_order(self, order: Order) -> None:
        self.orders[order.id] = order
        self.minted.setdefault(order.id, 0)

    def _note_device(self, serial_number: str, order: int) -> None:
        if order not in self.orders or serial_number in self.order_of:
            detail = f"{self._path}: {serial_number} occurs twice, or without its order"
            raise HomeportError(Code.ARCHIVE_DAMAGED, detail)
        self.order_of[serial_number] = order
        self.minted[order] += 1

    def _note_stores(self, stores: Stores) -> None:
        place = (stores.order, stores.directory)
        (self.unwritten.discard if stores.done else self.unwritten.add)(place)

    def _cut(self, good: int) -> int:
        torn = self._file.seek(0, os.SEEK_END) - good
        if torn:
            self._file.truncate(good)
            os.fsync(self._file.fileno())
        self._file.seek(good)
        return torn


@contextmanager
def write_archive(path: Path) -> Iterator[ArchiveWriter]:
    """Open the archive for the one writer. Raise FACTORY_BUSY, ARCHIVE_DAMAGED."""
    with _opened(path, "r+b") as file:
        _lock(path, file, fcntl.LOCK_EX)
        yield ArchiveWriter(path, file)


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[BinaryIO]:
    try:
        file: BinaryIO = path.open(mode)  # type: ignore[assignment]
    except FileNotFoundError:
        raise HomeportError(Code.FILE_MISSING, f"{path}: not a factory") from None
    except OSError as error:
        raise HomeportError(Code.FILE_MISSING, f"{path}: {error.strerror}") from None
    with file:
        yield file


def _lock(path: Path, file: BinaryIO, kind: int) -> None:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise HomeportError(Code.FACTORY_BUSY, str(path)) from None


def _read_header(path: Path, file: BinaryIO) -> ArchiveHeader:
    try:
        return decode_header(file.readline(LINE_MAX_BYTES))
    except UNREADABLE:
        raise HomeportError(Code.ARCHIVE_DAMAGED, f"{path}: line 1 is no header") from None


def _whole_lines(path: Path, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each line with the place of its end; stop before a torn last one."""
    end = file.tell()
    while line := file.readline(LINE_MAX_BYTES):
        if not line.endswith(b"\n"):
            _refuse_unless_torn(path, file, len(line))
            return
        end += len(line)
        yield end, line


def _refuse_unless_torn(path: Path, file: BinaryIO, length: int) -> None:
    """Raise ARCHIVE_DAMAGED if the bad line just read begins too far from the end."""
    start = file.tell() - length
    if file.seek(0, os.SEEK_END) - start > TORN_MAX_BYTES:
        raise HomeportError(Code.ARCHIVE_DAMAGED, f"{path}: unreadable at byte {start}")
