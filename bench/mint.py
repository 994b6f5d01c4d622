# SPDX-License-Identifier: Apache-2.0
"""`make bench NAME=mint`: software keys, identities, DPP keys and claim codes into the archive.

One process, so one core; the wall clock counts, with every fsync. The floor is what must be done
for each device whatever the program: two key pairs and one signature. Then what follows: the
manifest, the scan after a restart, and the stores.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.report import Row, report
from homeport.artefacts.manifest import ManifestReader
from homeport.factory.archive.file import read_archive, write_archive
from homeport.factory.archive.records import DeviceRecord
from homeport.factory.factory import Factory
from homeport.factory.hand_over import hand_over
from homeport.factory.initialise import FactoryPlan, initialise
from homeport.factory.key_sources import SoftwareKeys
from homeport.factory.mint import mint
from homeport.factory.orders import Counting, Wish, counted_order, missing_serial_numbers
from homeport.factory.settings import PlatformSettings
from homeport.factory.store import write_stores

GOAL_MINT = 5_000
"""Devices a second on one core."""
GOAL_READ = 25
"""Microseconds a line: half of what an import of 20,000 a second may take."""
GOAL_GROWTH = 48
"""MB, for a manifest of any length; 32 of them are scrypt's, which opens the signer's key."""
STORES = 200
CURVE = ec.SECP256R1()


def main(*, quick: bool) -> None:
    count = 20_000 if quick else 200_000
    with tempfile.TemporaryDirectory(prefix="homeport-bench-") as place:
        directory = Path(place)
        now = datetime.now(UTC)
        initialise(directory / "works", plan(), now)
        factory = Factory(directory / "works")
        floor = floor_of(2_000)
        minting = seconds(lambda: mint_all(factory, count, now))
        scanning = seconds(lambda: mint_all(factory, count, now))
        handing, hand_over_mb = in_process(write, factory.directory, directory / "m")
        reading, read_mb = in_process(read, factory.directory, directory / "m")
        splitting = seconds(lambda: split(factory, directory / "stores"))
    rate, read_us, grown = count / minting, reading / count * 1e6, max(hand_over_mb, read_mb)
    rows = [
        Row("minted into the archive", rate, "1/s", GOAL_MINT, rate >= GOAL_MINT),
        Row("floor: two key pairs and a signature", floor * 1e6, "µs"),
        Row("a minted device", minting / count * 1e6, "µs"),
        Row("a line of the manifest, written", handing / count * 1e6, "µs"),
        Row("a line of the manifest, read", read_us, "µs", GOAL_READ, read_us <= GOAL_READ),
        Row("memory for writing or reading it", grown, "MB", GOAL_GROWTH, grown <= GOAL_GROWTH),
        Row("scan of the archive at the start", scanning / count * 1e6, "µs"),
        Row("device stores, on the disk", STORES / splitting, "1/s"),
    ]
    report("mint", rows, {"devices": count})


def plan() -> FactoryPlan:
    platform = PlatformSettings(name="localhost", url="https://localhost:8443")
    return FactoryPlan(name="Bench", label_page="https://label.example/", platform=platform)


def mint_all(factory: Factory, count: int, now: datetime) -> None:
    """Mint, or find that all is minted."""
    wish = Wish(model="EX-100", hardware_identity="file")
    counting = Counting(prefix="EX-", count=count, start=1, width=9)
    with write_archive(factory.archive) as archive:
        order = counted_order(archive, wish, counting, now)
        work = (order, missing_serial_numbers(archive, order))
        mint(factory, archive, SoftwareKeys(), work, now, ignore)


def in_process(work: Callable[[Factory, Path], None], *arguments: Path) -> tuple[float, float]:
    """Run in a process of its own; return seconds, and MB that its memory grew by."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measured, work, *arguments).result()


def measured(
    work: Callable[[Factory, Path], None], directory: Path, path: Path
) -> tuple[float, float]:
    factory = Factory(directory)
    before = peak_mb()
    return seconds(lambda: work(factory, path)), peak_mb() - before


def write(factory: Factory, path: Path) -> None:
    hand_over(factory, path, datetime.now(UTC), None, ignore)


def read(factory: Factory, path: Path) -> None:
    with path.open("rb") as file:
        for line in ManifestReader(file, factory.anchor):
            _ = line.idevid_fingerprint


def split(factory: Factory, directory: Path) -> None:
    (factory.directory / "platform-anchors.pem").write_bytes(
        (factory.directory / "idevid-anchor.pem").read_bytes()
    )
    records = (each for each in read_archive(factory.archive) if isinstance(each, DeviceRecord))
    write_stores(factory, (next(records) for _ in range(STORES)), directory, ignore)


def floor_of(count: int) -> float:
    issuer = ec.generate_private_key(CURVE)

    def work() -> None:
        for _ in range(count):
            ec.generate_private_key(CURVE)
            ec.generate_private_key(CURVE)
            issuer.sign(bytes(300), ec.ECDSA(hashes.SHA256()))

    return seconds(work) / count


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def peak_mb() -> float:
    """The peak of this program; getrusage would tell that of the parent that it was forked from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def ignore(_count: int) -> None:
    pass


if __name__ == "__main__":
    main(quick="--quick" in sys.argv or os.environ.get("QUICK") == "1")
