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

from bench import fleet
from bench.devices import MODEL, BenchDevice, BenchIssuer, anchor_of, serial_of
from homeport.demo.stage import free_ports
from homeport.pki.certificates import authority_id
from homeport.provisioning.ports import Authority, MintedDevice
from homeport.storage.sqlite.registry import SqliteRegistry

TICKS = os.sysconf("SC_CLK_TCK")
SETTLE_SECONDS = 1800.0
"""To seal and publish the events of a million devices, on a busy machine."""
QUIET_SECONDS, AT_REST = 3, 0.05
"""It is at rest when it takes less than so much of a second's CPU time, so often."""


class BenchPlatform:
    """`with BenchPlatform(directory, issuer, registered, devices)`: it answers inside."""

    def __init__(
        self,
        directory: Path,
        issuer: BenchIssuer,
        registered: int,
        devices: list[BenchDevice],
        *,
        tenants: int = 1,
    ) -> None:
        self.directory = directory
        self.port, operations, mqtt = free_ports(3)
        self.anchors = directory / "platform.pem"
        self._issuer, self._registered, self._devices = issuer, registered, devices
        self._tenants = tenants
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
        self._fill(data / "registry.sqlite")
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

    def settle(self) -> None:
        """Wait until it has sealed and published its whole trail, and has nothing to do."""
        limit, before, quiet = time.monotonic() + SETTLE_SECONDS, sum(self.cpu()), 0
        while quiet < QUIET_SECONDS:
            if time.monotonic() > limit:
                raise RuntimeError("the platform does not come to rest")
            time.sleep(1)
            now = sum(self.cpu())
            quiet = quiet + 1 if now - before < AT_REST else 0
            before = now

    def _homeport(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "homeport", *arguments, "--config", str(self._config)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def _fill(self, path: Path) -> None:
        """Register all devices, sell them, and let all but ours have been at home for long."""
        authority = authority_id(self._issuer.anchor)
        trusted = Authority(
            id=authority,
            name="bench",
            anchor=anchor_of(self._issuer),
            trusted_at=datetime.now(UTC),
        )
        asyncio.run(fleet.register(path, authority, self._minted(), tenants=self._tenants))
        asyncio.run(_trust(path, trusted))
        fleet.sell(path, first=serial_of(0), tenants=self._tenants)
        fleet.bring_home(path, first=serial_of(len(self._devices)))

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


async def _trust(path: Path, authority: Authority) -> None:
    async with SqliteRegistry(path) as registry:
        await registry.transact(lambda tx: tx.authorities.add(authority))


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
