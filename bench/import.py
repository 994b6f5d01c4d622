# SPDX-License-Identifier: Apache-2.0
"""`make bench NAME=import`: a whole hand-over manifest, read, checked, proven and registered.

The floor of the registry's share is the same rows written by the bare driver into the same table.
Meanwhile another writer of the same file commits small verbs, as a server does: how long the
longest of them took is how long an import can hold up an enrolment.
"""

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path

from cryptography import x509

from bench.devices import MODEL, fresh_key, serial_of
from bench.report import Row, report
from homeport.artefacts.manifest import VERSION, ManifestHeader, ManifestReader, ManifestWriter
from homeport.artefacts.manifest import ManifestLine as Line
from homeport.artefacts.signers import MANIFEST_SIGNER
from homeport.domain.audit import AuditEvent, Name
from homeport.factory.certificates import make_root, make_signer
from homeport.pki.authority import Issuer
from homeport.pki.certificates import authority_id, der_of
from homeport.pki.idevid import IdevIdMinter
from homeport.provisioning.imports.manifest import import_manifest, minted
from homeport.provisioning.ports import MintedDevice, Transaction
from homeport.storage.sqlite import SqliteRegistry

GOAL_RATE = 20_000
"""Devices a second: a million within a minute."""
GOAL_REGISTRY = 15
"""Microseconds a device, so that reading and checking has most of the time."""
GOAL_WAIT = 10.0
"""Seconds: an agent's request waits so long without giving up."""
EVERY = 0.005
"""Seconds between two commits of the one who is held up."""


@dataclass
class Measured:
    """How long something took."""

    seconds: float
    cpu: float


class Stopwatch:
    """Wall time and this process's CPU time."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Measured:
        return Measured(time.perf_counter() - self._wall, time.process_time() - self._cpu)


def write_manifest(path: Path, count: int) -> x509.Certificate:
    """Mint so many identities and hand them over; return the trust anchor."""
    now, key, signer_key = datetime.now(UTC), fresh_key(), fresh_key()
    root = make_root(key, "bench factory", now)
    issuer = Issuer(root, key)
    signer = make_signer(issuer, signer_key.public_key(), "bench factory", MANIFEST_SIGNER, now)
    header = ManifestHeader(
        manifest=VERSION,
        authority=authority_id(root),
        factory="bench factory",
        created=int(now.timestamp()),
    )
    with path.open("wb") as file:
        writer = ManifestWriter(file, header)
        for line in lines(IdevIdMinter(root, key), now, count):
            writer.add(line)
        writer.finish(signer_key, [der_of(signer)])
    return root


def lines(minter: IdevIdMinter, now: datetime, count: int) -> Iterator[Line]:
    public = fresh_key().public_key()
    for number in range(count):
        dpp_key = b"\x30\x39" + number.to_bytes(57, "big")
        yield Line(
            serial_number=serial_of(number),
            model=MODEL,
            hardware_identity="pkcs11",
            idevid=minter.mint(public, serial_of(number), MODEL, now),
            dpp_key=dpp_key,
            dpp_key_hash=sha256(dpp_key).hexdigest(),
            claim_code_hash=sha256(b"%d" % number).hexdigest(),
        )


async def held_up(path: Path) -> float:
    """Commit small verbs until cancelled; return how many seconds the longest took."""
    longest = 0.0

    async def verb(tx: Transaction) -> None:
        event = AuditEvent(name=Name.ENROLMENT_STARTED, at=datetime.now(UTC), actor="bench")
        await tx.audit.record(event)

    async with SqliteRegistry(path) as registry:
        try:
            while True:
                begun = time.perf_counter()
                await registry.transact(verb)
                longest = max(longest, time.perf_counter() - begun)
                await asyncio.sleep(EVERY)
        except asyncio.CancelledError:
            return longest


async def import_whole(folder: Path, manifest: Path, anchor: x509.Certificate) -> Measured:
    async with SqliteRegistry(folder / "whole.db") as registry:
        with manifest.open("rb") as stream:
            watch = Stopwatch()
            reader = ManifestReader(stream, anchor)
            await import_manifest(registry, reader, anchor, actor="bench", now=datetime.now(UTC))
            return watch.read()


async def register(folder: Path, devices: list[MintedDevice], authority: str) -> Measured:
    """Only the registry's share."""
    async with SqliteRegistry(folder / "registry.db") as registry:
        watch = Stopwatch()
        now = datetime.now(UTC)
        async with registry.stage_minted(authority, devices) as staged:
            await registry.transact(lambda tx: tx.devices.add_minted(staged, now))
        return watch.read()


async def longest_wait(folder: Path, devices: list[MintedDevice], authority: str) -> float:
    path = folder / "waited.db"
    async with SqliteRegistry(path) as registry:
        waiting = asyncio.create_task(held_up(path))
        now = datetime.now(UTC)
        async with registry.stage_minted(authority, devices) as staged:
            await registry.transact(lambda tx: tx.devices.add_minted(staged, now))
        waiting.cancel()
        return await waiting


def floor(folder: Path, devices: list[MintedDevice], authority: str) -> Measured:
    """The same rows, by the bare driver, into the same table (made by the registry)."""
    path = folder / "registry.db"
    rows = [
        {
            "id": f"{authority}-{device.serial_number}",
            "authority": authority,
            "serial_number": device.serial_number,
            "model": device.model,
            "hardware_identity": device.hardware_identity,
            "minted": 1,
            "idevid_fingerprint": device.idevid_fingerprint,
            "epoch": 0,
            "registered_at": 0,
            "dpp_key": device.dpp_key,
            "dpp_key_hash": device.dpp_key_hash,
            "claim_code_hash": device.claim_code_hash,
        }
        for device in devices
    ]
    columns, marks = ", ".join(rows[0]), ", ".join("?" * len(rows[0]))
    statement = f"INSERT INTO devices ({columns}) VALUES ({marks})"  # noqa: S608
    values = [tuple(row.values()) for row in rows]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("DELETE FROM devices")
        watch = Stopwatch()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, values)
        connection.execute("COMMIT")
        return watch.read()


def main(*, quick: bool) -> None:
    count = 20_000 if quick else 200_000
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as name:
        folder = Path(name)
        manifest = folder / "manifest"
        anchor = write_manifest(manifest, count)
        whole = asyncio.run(import_whole(folder, manifest, anchor))
        with manifest.open("rb") as stream:
            devices = list(islice(minted(ManifestReader(stream, anchor)), count))
        authority = authority_id(anchor)
        share = asyncio.run(register(folder, devices, authority))
        bare = floor(folder, devices, authority)
        waited = asyncio.run(longest_wait(folder, devices, authority))
    rate = count / whole.seconds
    rows = [
        Row("whole import", rate, "1/s", GOAL_RATE, rate >= GOAL_RATE),
        Row(
            "registry, CPU a device",
            share.cpu / count * 1e6,
            "µs",
            GOAL_REGISTRY,
            share.cpu / count * 1e6 <= GOAL_REGISTRY,
        ),
        Row("bare driver in the same run, CPU a device", bare.cpu / count * 1e6, "µs"),
        Row("registry / bare driver", share.cpu / bare.cpu, "ratio"),
        Row("whole import, CPU a device", whole.cpu / count * 1e6, "µs"),
        Row("longest wait of another writer", waited, "s", GOAL_WAIT, waited <= GOAL_WAIT),
    ]
    report("import", rows, {"devices": count, "seconds": whole.seconds})


if __name__ == "__main__":
    main(quick="--quick" in sys.argv or os.environ.get("QUICK") == "1")
