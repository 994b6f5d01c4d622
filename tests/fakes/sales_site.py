# SPDX-License-Identifier: Apache-2.0
"""A platform's data with any number of registered devices, and a sales file that names them all.

Three lines of the file are wrong, each in its own way.
"""

import asyncio
import hashlib
import json
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from fakes.live import HOMEPORT, run
from homeport.provisioning.ports import MintedDevice
from homeport.storage.sqlite import SqliteRegistry

MAKER = "a" * 16


class Wrong(NamedTuple):
    """A line that cannot be taken."""

    text: str
    code: str
    reason: str


class State(NamedTuple):
    """All that an import may change, as digests: but not when, nor in which order it did."""

    devices: str
    records: str
    events: str


_STATE = State(
    "SELECT id, tenant, upstream, epoch, ownership, proof FROM devices ORDER BY id",
    "SELECT first, last, tenant, upstream, authority, action, reference, source"
    " FROM sales_records ORDER BY first",
    "SELECT device, tenant, facts FROM audit_events WHERE name = 'device:assigned' ORDER BY device",
)


class Import:
    """`homeport sales import`, at work."""

    def __init__(self, *words: object) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [*HOMEPORT, "sales", "import", *map(str, words), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.peak_mb = 0.0
        """Resident at most, seen by `ends`."""

    def ends(self) -> tuple[int, Any]:
        """Wait, with an eye on its memory; return its exit status and what it printed."""
        while True:
            try:
                out, err = self._process.communicate(timeout=0.2)
            except subprocess.TimeoutExpired:
                self._look()
            else:
                print(f"peak {self.peak_mb:.0f} MB", err.decode())
                return self._process.returncode, json.loads(out)

    def is_killed(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._process.communicate()
        assert self._process.returncode == -signal.SIGKILL, "it had ended before"

    def _look(self) -> None:
        """Read the high-water mark of its memory, which is gone when it has ended."""
        status = Path(f"/proc/{self._process.pid}/status").read_text("ascii")
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self.peak_mb = int(line.split()[1]) / 1024


@dataclass(frozen=True)
class SalesSite:
    """One directory."""

    directory: Path
    count: int
    """Of devices, and of lines."""

    @classmethod
    def make(cls, directory: Path, count: int) -> "SalesSite":
        """Register the devices and write the file."""
        site = cls(directory, count)
        for tenant in ("acme", "other"):
            run("tenant", "add", tenant, "--data", site.data)
        asyncio.run(_register(site.data / "registry.sqlite", count))
        with site.sales.open("w", encoding="utf-8") as file:
            file.write("serial_number,tenant\n")
            for line in range(2, count + 2):
                wrong = site.wrong.get(line)
                file.write((wrong.text if wrong else f"{serial_of(line)},acme") + "\n")
        return site

    @property
    def data(self) -> Path:
        """The platform's data directory."""
        return self.directory / "data"

    @property
    def sales(self) -> Path:
        """The sales file."""
        return self.directory / "sales.csv"

    @property
    def wrong(self) -> dict[int, Wrong]:
        """By line."""
        unknown, short, twice = 12, self.count // 2, self.count + 1
        told = (
            f"A sales record contradicts an earlier one. (sales.csv, line 2 gives {serial_of(2)}"
            " to acme: import a correction, or cancel that record first)"
        )
        return {
            unknown: Wrong(
                f"{serial_of(unknown)},nobody", "tenant-unknown", "No such tenant. (nobody)"
            ),
            short: Wrong(serial_of(short), "sales-malformed", "1 cells instead of 2"),
            twice: Wrong(f"{serial_of(2)},other", "sales-conflict", told),
        }

    @property
    def good(self) -> int:
        """How many lines are."""
        return self.count - len(self.wrong)

    def copy(self, directory: Path) -> "SalesSite":
        """The same again."""
        shutil.copytree(self.directory, directory)
        return SalesSite(directory, self.count)

    def imports(self, *words: object) -> Import:
        """Begin to import the file."""
        return Import(self.sales, "--data", self.data, *words)

    def number(self, query: str) -> int:
        """Ask for one, while an import may be at work."""
        with closing(self._opened()) as file:
            return int(file.execute(query).fetchone()[0] or 0)

    def state(self) -> State:
        """What is in the registry."""
        with closing(self._opened()) as file:
            return State(*(_digest(file, query) for query in _STATE))

    def _opened(self) -> sqlite3.Connection:
        uri = f"{(self.data / 'registry.sqlite').absolute().as_uri()}?mode=ro"
        return sqlite3.connect(uri, uri=True)


def serial_of(line: int) -> str:
    """The device that this line of the file should name."""
    return f"EX-{line:08}"


def _minted(count: int) -> Iterator[MintedDevice]:
    for line in range(2, count + 2):
        yield MintedDevice(
            serial_number=serial_of(line),
            model="EX-100",
            hardware_identity="pkcs11",
            idevid_fingerprint=f"{line:064x}",
            dpp_key=None,
            dpp_key_hash=None,
            claim_code_hash=None,
        )


async def _register(path: Path, count: int) -> None:
    async with (
        SqliteRegistry(path) as registry,
        registry.stage_minted(MAKER, _minted(count)) as staged,
    ):
        now = datetime.now(UTC)
        await registry.transact(lambda tx: tx.devices.add_minted(staged, now))


def _digest(file: sqlite3.Connection, query: str) -> str:
    digest = hashlib.sha256()
    for row in file.execute(query):
        digest.update(repr(row).encode())
    return digest.hexdigest()
