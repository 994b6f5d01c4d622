# SPDX-License-Identifier: Apache-2.0
"""A manifest's devices, laid ready in a file of their own beside the registry.

A million rows added one by one would hold the write lock for a minute, and no device could enrol.
So they are read, checked and sorted here first, where nobody waits; the registry then takes them
over in one statement. The file needs no durability: after a crash the import begins anew, and what
a killed process left behind is swept by the next.
"""

import fcntl
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.schema import CreateTable

from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import MintedDevice
from homeport.storage.compiled import query
from homeport.storage.parts.minted import staged_minted
from homeport.storage.sqlite.connections import StagedFile, translated
from homeport.storage.upgrade import turn

CHUNK: Final = 1000
"""Rows handed to SQLite at once: enough to make the call's own cost vanish."""

_TABLE: Final = staged_minted()
_ADD: Final = query(Insert(_TABLE).on_conflict_do_nothing())


@contextmanager
def staging_folder(registry: Path) -> Iterator[Path]:
    """Make a private folder beside the registry, gone at the end; sweep what others left behind.

    The lock on it tells the living from the dead: it ends with its process, however that ends.
    """
    try:
        folder, lock = _make_folder(registry)
    except OSError as error:
        raise HomeportError(Code.STORAGE_UNAVAILABLE, f"beside {registry}: {error}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _make_folder(registry: Path) -> tuple[Path, int]:
    """Return the new folder and its lock."""
    prefix = f".{registry.name}.staged-"
    with turn(registry.parent):  # else a sweeper could meet a folder that is not locked yet
        for left in registry.parent.iterdir():
            if left.name.startswith(prefix):
                _sweep(left)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=registry.parent))
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def stage_minted(
    folder: Path, authority: str, devices: Iterable[MintedDevice], given_up: threading.Event
) -> StagedFile[MintedDevice]:
    """Lay devices ready, each once; a serial number with two IDevIDs is a DEVICE_CONFLICT."""
    path = folder / "rows"
    with translated(), closing(_open(path)) as rows:
        count = 0
        for chunk in _chunks(devices, given_up):
            values = [_values(authority, device) for device in chunk]
            added = rows.executemany(_ADD.sql, map(_ADD.bind, values)).rowcount
            if added < len(values):
                _refuse_contradictions(rows, values)
            count += added
        rows.execute("COMMIT")
    return StagedFile(count=count, path=path)


def _open(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    rows = sqlite3.connect(path, isolation_level=None)
    rows.execute("PRAGMA journal_mode=OFF")
    rows.execute("PRAGMA synchronous=OFF")
    rows.execute("BEGIN")
    rows.execute(str(CreateTable(_TABLE).compile(dialect=sqlite.dialect())))
    return rows


def _chunks(
    devices: Iterable[MintedDevice], given_up: threading.Event
) -> Iterator[list[MintedDevice]]:
    remaining = iter(devices)
    while chunk := list(islice(remaining, CHUNK)):
        if given_up.is_set():
            raise HomeportError(Code.STORAGE_UNAVAILABLE, "the import was given up")
        yield chunk


def _values(authority: str, device: MintedDevice) -> Mapping[str, Any]:
    return {
        "id": str(DeviceId(authority, device.serial_number)),
        "authority": authority,
        "serial_number": device.serial_number,
        "model": device.model,
        "hardware_identity": device.hardware_identity,
        "idevid_fingerprint": device.idevid_fingerprint,
        "dpp_key": device.dpp_key,
        "dpp_key_hash": device.dpp_key_hash,
        "claim_code_hash": device.claim_code_hash,
    }


def _refuse_contradictions(rows: sqlite3.Connection, values: list[Mapping[str, Any]]) -> None:
    for value in values:
        (kept,) = rows.execute(
            "SELECT idevid_fingerprint FROM minted WHERE id = ?", (value["id"],)
        ).fetchone()
        if kept != value["idevid_fingerprint"]:
            raise HomeportError(Code.DEVICE_CONFLICT, f"{value['id']} is listed with two IDevIDs")


def _sweep(folder: Path) -> None:
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # swept by somebody else
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # in use
        return
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
