# SPDX-License-Identifier: Apache-2.0
"""`make bench NAME=enrol`: full enrolments against a running server, and what each costs it.

One server process, SQLite with synchronous=FULL, a new TLS connection for each device, 32 at once.
The cost is the server's own CPU time (/proc) per enrolment, divided by the floor: the same
cryptography with nothing around it, measured in the same run on the same machine.
"""

import asyncio
import os
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.devices import BenchDevice, make_devices, make_issuer
from bench.floor import measure_floor, measure_sequence
from bench.platform import BenchPlatform
from bench.report import Row, report
from homeport.pki.jws import parse
from homeport.protocols.native.wire import ENROL_PATH, GREETING_PATH, read_answer, read_greeting

AT_ONCE = 32
REPEAT = 400
GOAL_RATIO = 2.0
FLAT, WARM = 900, 500
"""Devices that enrol in one round; those that enrol before, to warm up."""
GOAL_FLAT = 1.10
"""Cost at a platform with many devices divided by the cost at one with few: the same, within the
noise. Many: a million with owners, sales records, certificates and a story, and 10,000 tenants."""


@dataclass
class Round:
    """What one run of enrolments showed."""

    count: int
    seconds: float
    server_cpu: float
    broker_cpu: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    @property
    def cpu_us(self) -> float:
        return self.server_cpu / self.count * 1e6

    def percentile(self, share: float) -> float:
        return sorted(self.latencies)[int(share * (len(self.latencies) - 1))] * 1e3


async def enrol(platform: BenchPlatform, context: ssl.SSLContext, device: BenchDevice) -> float:
    begun = time.perf_counter()
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", platform.port, ssl=context, server_hostname="localhost"
    )
    try:
        greeting = read_greeting(await exchange(reader, writer, b"GET", GREETING_PATH, b""))
        body = device.request(greeting)
        answer = await exchange(reader, writer, b"POST", ENROL_PATH, body)
        took = time.perf_counter() - begun
        device.check(read_answer(parse(answer).unverified_payload))
        return took
    finally:
        writer.close()


async def exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    method: bytes,
    path: str,
    body: bytes,
) -> bytes:
    writer.write(
        b"%b %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
        % (method, path.encode(), len(body))
        + body
    )
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    answer = await reader.readexactly(length)
    if b" 200 " not in head[:20]:
        raise RuntimeError(answer.decode())
    return answer


async def enrol_all(platform: BenchPlatform, devices: list[BenchDevice]) -> Round:
    context = ssl.create_default_context(cafile=platform.anchors)
    queue = list(devices)
    latencies: list[float] = []

    async def worker() -> None:
        while queue:
            latencies.append(await enrol(platform, context, queue.pop()))

    before, broker_before = platform.cpu()
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as workers:
        for number in range(AT_ONCE):
            workers.create_task(worker(), name=f"device {number}")
    seconds = time.perf_counter() - begun
    after, broker_after = platform.cpu()
    return Round(len(devices), seconds, after - before, broker_after - broker_before, latencies)


@dataclass
class Measured:
    """A round, and the floors beside it."""

    round: Round
    floor: float
    """Each operation in a hot loop, added up."""
    sequence: float
    """All operations of one device after the other."""

    @property
    def ratio(self) -> float:
        return self.round.cpu_us / self.floor


def run_at(registered: int, count: int, warm: int) -> Measured:
    """Enrol `count` of `registered` devices."""
    issuer = make_issuer()
    devices = make_devices(issuer, count + warm)
    with (
        tempfile.TemporaryDirectory(prefix="homeport-bench-") as directory,
        BenchPlatform(Path(directory), issuer, registered, devices) as platform,
    ):
        uvloop.run(enrol_all(platform, devices[count:]))
        before = measure_floor(devices[0])
        measured = uvloop.run(enrol_all(platform, devices[:count]))
        after = measure_floor(devices[0])
    sequence = measure_sequence(devices[:REPEAT])
    return Measured(measured, statistics.mean((before, after)), sequence)


@dataclass
class Flat:
    """The same devices at a platform that has nobody else, and at one that has many."""

    few: list[Round]
    many: list[Round]

    @property
    def ratio(self) -> float:
        """Of what an enrolment costs; each pair of rounds was run one after the other."""
        pairs = zip(self.few, self.many, strict=True)
        return statistics.median(many.cpu_us / few.cpu_us for few, many in pairs)


def run_flat(registered: int, tenants: int, rounds: int) -> Flat:
    """Enrol at both in turn, so that whatever else the machine does falls on both."""
    issuer = make_issuer()
    devices = make_devices(issuer, WARM + rounds * FLAT)
    flat = Flat([], [])
    with ExitStack() as stack:
        platforms = []
        for count, names in ((len(devices), 1), (registered, tenants)):
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="homeport-bench-"))
            platform = BenchPlatform(Path(directory), issuer, count, devices, tenants=names)
            platforms.append(stack.enter_context(platform))
        for platform in platforms:
            platform.settle()
            uvloop.run(enrol_all(platform, devices[:WARM]))
        turns = list(zip(platforms, (flat.few, flat.many), strict=True))
        for first in range(WARM, len(devices), FLAT):
            for platform, into in turns:
                into.append(uvloop.run(enrol_all(platform, devices[first : first + FLAT])))
            turns.reverse()
    return flat


def median_cost(rounds: Sequence[Round]) -> float:
    return statistics.median(each.cpu_us for each in rounds)


def main(*, quick: bool) -> None:
    many, tenants, rounds = (20_000, 200, 2) if quick else (1_000_000, 10_000, 5)
    flat = run_flat(many, tenants, rounds)
    # The figures that need a longer run: as many devices as it takes.
    small = run_at(1_000, 900, 100) if quick else run_at(6_500, 6_000, 500)
    cost = small.round.cpu_us
    rows = [
        Row(
            "server CPU per enrolment / crypto floor",
            small.ratio,
            "ratio",
            GOAL_RATIO,
            small.ratio <= GOAL_RATIO,
        ),
        Row("the same / crypto of one device after the other", cost / small.sequence, "ratio"),
        Row(
            f"cost at {many:,} devices / at {WARM + rounds * FLAT:,}",
            flat.ratio,
            "ratio",
            GOAL_FLAT,
            flat.ratio <= GOAL_FLAT,
        ),
        Row("server CPU per enrolment, many devices", median_cost(flat.many), "µs"),
        Row("the same, few devices", median_cost(flat.few), "µs"),
        Row("server CPU per enrolment", cost, "µs"),
        Row("crypto floor, hot loops", small.floor, "µs"),
        Row("crypto, one device after the other", small.sequence, "µs"),
        Row("rate (platform and devices share the cores)", small.round.rate, "1/s"),
        Row("p50", small.round.percentile(0.50), "ms"),
        Row("p99", small.round.percentile(0.99), "ms"),
        Row(
            "broker CPU per enrolment (beside)",
            small.round.broker_cpu / small.round.count * 1e6,
            "µs",
        ),
    ]
    report(
        "enrol",
        rows,
        {"at_once": AT_ONCE, "enrolments": small.round.count, "devices": many, "tenants": tenants},
    )


if __name__ == "__main__":
    main(quick="--quick" in sys.argv or os.environ.get("QUICK") == "1")
