# SPDX-License-Identifier: Apache-2.0
"""`make bench NAME=ledger`: sales, claims and searches in a large registry.

While a file of sales records is imported, another process commits small verbs, as a server does for
its devices: how long the slowest of them took is how long an import holds an enrolment up. What an
enrolment costs with a registry of this size is shown by `make bench NAME=enrol`.
"""

import asyncio
import gc
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from bench import fleet
from bench.devices import MODEL
from bench.report import Row, report
from homeport.artefacts.claim_code import hash_claim_code, make_claim_code
from homeport.clock import SystemClock
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.claim import Claim
from homeport.domain.device import DeviceId
from homeport.domain.enrolment import State
from homeport.provisioning.imports.sales import Intake, SalesReport, import_sales
from homeport.provisioning.imports.sales_file import read_sales
from homeport.provisioning.ownership.claim import ClaimRequest, claim
from homeport.provisioning.ports import DeviceFilter, MintedDevice, Transaction
from homeport.server.audit.trail import Trail
from homeport.storage.sqlite import SqliteRegistry

MAKER = "a" * 16
Waits: TypeAlias = dict[str, float]
GOAL_RATE = 5_000
"""Records a second: a million within four minutes, while devices enrol."""
GOAL_HELD = 50.0
"""Milliseconds that an import may hold the write lock, 99 of 100 times."""
GOAL_CLAIMS = 500
"""A second: a lorry of devices in the time that it takes to scan one."""
GOAL_SEARCH = 50.0
"""Milliseconds, 99 of 100 searches."""
GOAL_DELIVERY = 500.0
"""Milliseconds from commit to whoever waits: half of the second that is promised."""
EVERY = 0.005
"""Seconds between two commits of the one beside."""


def serial_of(number: int) -> str:
    return f"LG-{number:08}"


def minted(first: int, count: int, codes: dict[int, str]) -> Iterator[MintedDevice]:
    for number in range(first, first + count):
        code = codes.get(number)
        yield MintedDevice(
            serial_number=serial_of(number),
            model=MODEL,
            hardware_identity="pkcs11",
            idevid_fingerprint=f"{number:064x}",
            dpp_key=None,
            dpp_key_hash=None,
            claim_code_hash=hash_claim_code(code).hex() if code else None,
        )


def fill(path: Path, devices: int, tenants: int, codes: dict[int, str]) -> None:
    """Register devices; nine of ten have an owner, eight of ten are at home."""
    asyncio.run(fleet.register(path, MAKER, minted(0, devices, codes), tenants=tenants))
    fleet.sell(path, first=serial_of(devices // 10), tenants=tenants)
    fleet.bring_home(path, first=serial_of(devices // 5))


def import_beside(path: Path, records: int, devices: int) -> tuple[SalesReport, float, Waits]:
    """Import while another process commits; return the report, the seconds, and what that saw."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.ledger", "--beside", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it is at work
        done, seconds = asyncio.run(import_all(path, records, devices))
        out, _ = child.communicate()
    waits: Waits = json.loads(out)
    return done, seconds, waits


async def import_all(path: Path, records: int, first: int) -> tuple[SalesReport, float]:
    """Import a record for each serial number from the first on."""
    lines = itertools.chain(
        ["serial_number,tenant,reference\n"],
        (f"{serial_of(first + n)},t{n % 100:05},PO-{n}\n" for n in range(records)),
    )
    gc.freeze()  # as the command does
    async with SqliteRegistry(path) as registry:
        intake = Intake(source="bench.csv", digest="bench", actor="bench", clock=SystemClock())
        began = time.perf_counter()
        read = read_sales(lines, source="bench.csv", now=datetime.now(UTC))
        done = await import_sales(registry, read, intake)
        return done, time.perf_counter() - began


async def beside(path: Path) -> None:
    """Commit a small verb every few milliseconds until the input ends; tell how long each took."""

    async def verb(tx: Transaction) -> None:
        event = AuditEvent(name=Name.ENROLMENT_STARTED, at=datetime.now(UTC), actor="bench")
        await tx.audit.record(event)

    gc.freeze()  # as the server does
    ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    took: list[float] = []
    async with SqliteRegistry(path) as registry:
        print("at work", flush=True)
        while not ended.done():
            began = time.perf_counter()
            await registry.transact(verb)
            took.append(time.perf_counter() - began)
            await asyncio.sleep(EVERY)
    print(json.dumps({"p50": at(took, 0.5), "p99": at(took, 0.99), "longest": max(took) * 1e3}))


async def claims(path: Path, codes: dict[int, str]) -> float:
    """Claim devices one after the other, 16 at once; return how many a second."""
    gate = asyncio.Semaphore(16)
    async with SqliteRegistry(path) as registry:

        async def one(number: int, code: str) -> None:
            asked = ClaimRequest(device=serial_of(number), code=code, tenant="t00001")
            async with gate:
                made = await registry.transact(
                    lambda tx: claim(tx, asked, actor="bench", now=datetime.now(UTC))
                )
            assert isinstance(made, Claim)

        began = time.perf_counter()
        await asyncio.gather(*(one(number, code) for number, code in codes.items()))
        return len(codes) / (time.perf_counter() - began)


def questions(tenant: str, serial: str) -> list[DeviceFilter]:
    """Ask all that people do; the first is a tenant's list."""
    ours = [tenant]
    return [
        DeviceFilter(tenants=ours),
        DeviceFilter(tenants=ours, text=serial[:8]),
        DeviceFilter(text=serial[:9]),
        DeviceFilter(serial_number=serial),
        DeviceFilter(tenants=ours, model=MODEL, state="registered"),
        DeviceFilter(tenants=ours, state=State.OPERATIONAL),
        DeviceFilter(tenants=ours, is_online=True),
        DeviceFilter(tenants=ours, name=serial[:8]),
        DeviceFilter(tenants=ours, tag="hall-17"),
    ]


@dataclass
class Found:
    """How long searches took."""

    lists: list[float]
    """A tenant's first page."""
    all: list[float]


async def searches(path: Path, devices: int, tenants: int, count: int) -> Found:
    """Search as the people's door does; every fourth question is the large tenant's."""
    chance = random.Random(2026)
    found = Found([], [])
    async with SqliteRegistry(path) as registry:
        for number in range(count):
            tenant = fleet.tenant_of(chance.randrange(tenants) if number % 4 else 0)
            asked = questions(tenant, serial_of(chance.randrange(devices)))
            wanted = asked[number % len(asked)]
            began = time.perf_counter()
            await registry.read(
                lambda tx, wanted=wanted: tx.search.devices(wanted, after=None, limit=50)  # type: ignore[misc]
            )
            took = time.perf_counter() - began
            found.all.append(took)
            if wanted is asked[0]:
                found.lists.append(took)
    return found


def forget_pages(path: Path) -> None:
    """Let the operating system read the file from the disk again."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


async def delivery(path: Path, count: int) -> list[float]:
    """Record events from one registry, hear of them through another, as the server does."""
    heard: asyncio.Queue[float] = asyncio.Queue()

    async def hear(_: AuditEvent) -> None:
        heard.put_nowait(time.perf_counter())

    took: list[float] = []
    async with SqliteRegistry(path) as writing, SqliteRegistry(path) as reading:
        trail = Trail(reading, SystemClock(), {Name.DEVICE_CLAIMED: [hear]})
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(trail.follow())
            await asyncio.sleep(0.3)
            for _ in range(count):
                event = AuditEvent(
                    name=Name.DEVICE_CLAIMED,
                    at=datetime.now(UTC),
                    actor="bench",
                    device=DeviceId(MAKER, serial_of(0)),
                )
                await writing.transact(lambda tx, event=event: tx.audit.record(event))  # type: ignore[misc]
                committed = time.perf_counter()
                took.append(await heard.get() - committed)
                await asyncio.sleep(random.random() / 50)  # not in step with the looks
            following.cancel()
    return took


def at(took: list[float], share: float) -> float:
    """Milliseconds."""
    return sorted(took)[int(share * (len(took) - 1))] * 1e3


def main(*, quick: bool) -> None:
    devices, tenants = (50_000, 1_000) if quick else (1_000_000, 10_000)
    records, claimed = (20_000, 500) if quick else (1_000_000, 5_000)
    told_of = 2_000 if quick else 50_000
    codes = {number: make_claim_code() for number in range(claimed)}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as name:
        path = Path(name) / "registry.db"
        fill(path, devices, tenants, codes)
        os.sync()  # else the import's flushes wait for what was written just now
        done, seconds, waits = import_beside(path, records, devices)
        known, known_seconds = asyncio.run(import_all(path, told_of, first=claimed))
        rate = asyncio.run(claims(path, codes))
        found = asyncio.run(searches(path, devices, tenants, 900 if quick else 9000))
        forget_pages(path)
        cold = asyncio.run(searches(path, devices, tenants, 900))
        told = asyncio.run(delivery(path, 40 if quick else 200))
    assert done.new == records
    assert known.assigned == told_of
    imported, held = records / seconds, done.longest.total_seconds() * 1e3
    slow, listed = at(found.all, 0.99), at(found.lists, 0.99)
    rows = [
        Row("records imported", imported, "1/s", GOAL_RATE, imported >= GOAL_RATE),
        Row("the same, of registered devices, which are told", told_of / known_seconds, "1/s"),
        Row("longest transaction of the import, flush and checkpoint included", held, "ms"),
        Row("commit beside the import, p50", waits["p50"], "ms"),
        Row("the same, p99", waits["p99"], "ms", GOAL_HELD, waits["p99"] <= GOAL_HELD),
        Row("the same, longest", waits["longest"], "ms"),
        Row("claims", rate, "1/s", GOAL_CLAIMS, rate >= GOAL_CLAIMS),
        Row("search, p50", at(found.all, 0.5), "ms"),
        Row("search, p99", slow, "ms", GOAL_SEARCH, slow <= GOAL_SEARCH),
        Row("a tenant's list, p99", listed, "ms", GOAL_SEARCH, listed <= GOAL_SEARCH),
        Row("the same, nothing in memory yet, p50", at(cold.lists, 0.5), "ms"),
        Row("the same, p99", at(cold.lists, 0.99), "ms"),
        Row("commit to who waits, mean", statistics.mean(told) * 1e3, "ms"),
        Row("the same, p99", at(told, 0.99), "ms", GOAL_DELIVERY, at(told, 0.99) <= GOAL_DELIVERY),
    ]
    report("ledger", rows, {"devices": devices, "tenants": tenants, "records": records})


if __name__ == "__main__":
    if "--beside" in sys.argv:
        asyncio.run(beside(Path(sys.argv[-1])))
    else:
        main(quick="--quick" in sys.argv or os.environ.get("QUICK") == "1")
