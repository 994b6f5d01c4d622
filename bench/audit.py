# SPDX-License-Identifier: Apache-2.0
"""`make bench NAME=audit`: what the audit trail's hash chain costs.

A registry with many events is sealed from the first to the last, as after a long absence, and then
verified. Sealing happens away from those who write, so an enrolment pays its share of the processor
and nothing of its time.
"""

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench.report import Row, report
from fakes.sealed_trail import Sealer, record
from homeport.artefacts.audit_head import peek_head
from homeport.provisioning.audit.verify import verify_trail
from homeport.storage.sqlite import SqliteRegistry

EVENTS_OF_AN_ENROLMENT = 4
"""Started, issued, completed, and the replacing of an earlier certificate or an assignment."""


def main(*, quick: bool) -> None:
    count = 20_000 if quick else 200_000
    with tempfile.TemporaryDirectory(prefix="homeport-bench-") as place:
        rows = asyncio.run(measure(Path(place), count))
    report("audit", rows, {"events": count})


async def measure(directory: Path, count: int) -> list[Row]:
    sealer, path = Sealer(directory), directory / "registry.sqlite"
    async with SqliteRegistry(path) as registry:
        for _ in range(count // 1000):
            await record(registry, 1000)
        before = size_of(path)
        began, cpu = time.perf_counter(), time.process_time()
        heads = 0
        while head := await sealer.seal(registry):
            heads += 1
            assert peek_head(head.jws).count == 1000
        sealing, cpu = time.perf_counter() - began, time.process_time() - cpu
        after = size_of(path)
        began = time.perf_counter()
        verified = await verify_trail(registry, sealer.verifier)
        verifying = time.perf_counter() - began
    assert verified.holds
    assert verified.events == count
    an_event = cpu / count * 1e6
    return [
        Row("sealed", count / sealing, "1/s"),
        Row("CPU of sealing an event", an_event, "µs", 20, an_event < 20),
        Row("CPU of sealing an enrolment", an_event * EVENTS_OF_AN_ENROLMENT, "µs"),
        Row("verified", count / verifying, "1/s"),
        Row("storage of an event", before / count, "B"),
        Row("storage of its share of a head", (after - before) / count, "B"),
    ]


def size_of(path: Path) -> int:
    """Octets of the registry, its log included in the file."""
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


if __name__ == "__main__":
    main(quick="--quick" in sys.argv or os.environ.get("QUICK") == "1")
