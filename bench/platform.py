# SPDX-License-Identifier: Apache-2.0
"""A platform for benchmarks: a real `homeport serve`, with a registry of any size."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from bench.devices import MODEL, BenchDevice, BenchIssuer, anchor_of, serial_of
from homeport.clock import SystemClock
from homeport.demo.stage import free_ports
from homeport.pki.certificates import authority_id
from homeport.provisioning.add_tenant import add_tenant
from homeport.provisioning.add_upstream import add_own_upstream
from homeport.provisioning.imports.sales import Intake, import_sales
from homeport.provisioning.imports.sales_file import read_sales
from homeport.provisioning.ports import Authority, MintedDevice, Transaction
from homeport.storage.sqlite.registry import SqliteRegistry

TICKS = os.sysconf("SC_CLK_TCK")


class BenchPlatform:
    """`with BenchPlatform(directory, issuer, registered, devices)`: it answers inside."""

    def __init__(
        self,
        directory: Path,
        issuer: BenchIssuer,
        registered: int,
        devices: list[BenchDevice],
        *,
        is_sold: bool = True,
    ) -> None:
        self.directory = directory
        self.port, operations, mqtt = free_ports(3)
        self.anchors = directory / "platform.pem"
        self._issuer, self._registered, self._devices = issuer, registered, devices
        self._is_sold = is_sold
        self._config = directory / "server.toml"
        self._config.write_text(
            f'data = "{directory / "data"}"\nname = "localhost"\n'
            f'[listen]\naddress = "127.0.0.1"\nport = {self.port}\noperations_port = {operations}\n'
            f'mqtt_address = "127.0.0.1"\nmqtt_port = {mqtt}\n'
            "[rates]\nsource_per_second = 1000000.0\nsource_burst = 1000000\n"
            '[log]\nformat = "json"\n'
        )
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        data = self.directory / "data"
        data.mkdir(mode=0o700)
        asyncio.run(self._fill(data / "registry.sqlite"))
        self._homeport("platform", "anchors", "--output", str(self.anchors))
        log = (self.directory / "server.log").open("wb")
        self._server = subprocess.Popen(
            [sys.executable, "-m", "homeport", "serve", "--config", str(self._config)],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        limit = time.monotonic() + 60
        while not (data / "ready.json").exists():
            if self._server.poll() is not None or time.monotonic() > limit:
                raise RuntimeError((self.directory / "server.log").read_text())
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGTERM)
            self._server.wait(30)

    def cpu(self) -> tuple[float, float]:
        """CPU seconds of the server, and of the broker that is its child."""
        assert self._server is not None
        pid = self._server.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return _cpu_of(pid), sum(_cpu_of(int(child)) for child in children)

    def _homeport(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "homeport", *arguments, "--config", str(self._config)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    async def _fill(self, path: Path) -> None:
        now = datetime.now(UTC)
        authority = authority_id(self._issuer.anchor)
        async with SqliteRegistry(path) as registry:
            async with registry.stage_minted(authority, self._minted()) as staged:

                async def verb(tx: Transaction) -> None:
                    await add_own_upstream(tx, now=now)
                    await add_tenant(tx, "acme", title="", actor="bench", now=now)
                    await tx.authorities.add(
                        Authority(
                            id=authority,
                            name="bench",
                            anchor=anchor_of(self._issuer),
                            trusted_at=now,
                        )
                    )
                    await tx.devices.add_minted(staged, now)

                await registry.transact(verb)
            if self._is_sold:
                last = serial_of(max(self._registered, len(self._devices)) - 1)
                sales = ["serial_number,tenant\n", f"{serial_of(0)}..{last},acme\n"]
                lines = read_sales(sales, source="bench", now=now)
                intake = Intake(source="bench", digest="", actor="bench", clock=SystemClock())
                await import_sales(registry, lines, intake)

    def _minted(self) -> Iterator[MintedDevice]:
        real = {d.serial_number: hashlib.sha256(d.idevid).hexdigest() for d in self._devices}
        for number in range(max(self._registered, len(self._devices))):
            serial = serial_of(number)
            fingerprint = real.get(serial) or hashlib.sha256(serial.encode()).hexdigest()
            yield MintedDevice(
                serial_number=serial,
                model=MODEL,
                hardware_identity="file",
                idevid_fingerprint=fingerprint,
                dpp_key=None,
                dpp_key_hash=None,
                claim_code_hash=None,
            )


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
