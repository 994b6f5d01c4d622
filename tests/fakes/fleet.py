# SPDX-License-Identifier: Apache-2.0
"""Many devices in a few processes: the agent's own code, 75 times in each.

Every device has a directory of its own with identity, state and keys, its own connections and its
own back-off; only processor and event loop are shared. MQTT runs on awscrt, as on most devices.
What an agent remembers is read from its disk; what it ever received is witnessed beside it.

`Fleet` is the test's end; run as a program, this file is a worker: orders come as JSON lines on
standard input, one answer a line.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import msgspec

from homeport.agent.compose import Composition, Outside, compose
from homeport.agent.journey import State
from homeport.agent.memory.records import Saved
from homeport.agent.memory.store import Store, locked
from homeport.agent.settings import AgentSettings, DiscoverySettings, RestSettings
from homeport.pki.certificates import fingerprint, parse_certificate

PROCESSES = 4
WITNESS = "witness.jsonl"
THREADS = 400
"""Each parked device holds one for its long poll; a real agent has its process to itself."""
FILES = 16_384
"""A device holds six: its connection, the way to it, its lock."""

RESTS = RestSettings(
    first=timedelta(milliseconds=200),
    ceiling=timedelta(seconds=2),
    refused=timedelta(seconds=2),
)
"""Minutes at a customer's; a test has none to spare."""


class WitnessStore(Store):
    """Writes down which certificate was given for which request."""

    def save(self, saved: Saved) -> None:
        asked, given = self.saved.request, saved.credential
        super().save(saved)
        if given is not None and asked is not None and saved.request is None:
            line = json.dumps({"request": asked.request_id, "certificate": name_of(saved)})
            with (self.directory / WITNESS).open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")


def name_of(saved: Saved) -> str:
    """The fingerprint of the newest certificate; empty if there is none."""
    if saved.credential is None:
        return ""
    return fingerprint(parse_certificate(saved.credential.certificate[0]))


def settings_of(device: Path, address: str) -> AgentSettings:
    """Settings of the device whose factory-made directory this is."""
    return AgentSettings(
        identity=device,
        state=state_of(device),
        address=address,
        set_clock=False,
        rest=RESTS,
        discovery=DiscoverySettings(announce=False),
    )


def state_of(device: Path) -> Path:
    """Where that device keeps what it remembers."""
    return device.parent.parent / "states" / device.name


def remembered(device: Path) -> Saved:
    """What is on the device's disk."""
    file = state_of(device) / "state.json"
    if not file.exists():
        return Saved()
    return msgspec.json.decode(file.read_bytes().partition(b"\n")[0], type=Saved)


def witnessed(device: Path) -> list[tuple[str, str]]:
    """(request, certificate) for everything that the device was ever given."""
    file = state_of(device) / WITNESS
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [(line["request"], line["certificate"]) for line in map(json.loads, lines)]


class Fleet:
    """Devices with power, until the block ends: then the plug is pulled, without a farewell."""

    def __init__(self, address: str, log: Path, processes: int = PROCESSES) -> None:
        """Take where the platform is; workers' output goes to the log."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with log.open("ab") as output:
            self._workers = [
                subprocess.Popen(
                    [sys.executable, "-m", "fakes.fleet", address],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=output,
                    text=True,
                    env=environment,
                )
                for _ in range(processes)
            ]
        self.log = log
        self._devices: dict[Path, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for worker in self._workers:
            worker.kill()
            worker.communicate()

    @property
    def processes(self) -> Sequence[int]:
        """The workers' process ids."""
        return [worker.pid for worker in self._workers]

    def plug_in(self, devices: Sequence[Path]) -> None:
        """Give power to devices."""
        for device in devices:
            fewest = min(self._workers, key=[*self._devices.values()].count)
            self._devices[device] = fewest
        for worker, theirs in self._shares(devices):
            _order(worker, {"plug_in": theirs})

    def say(self, devices: Sequence[Path], text: str, seconds: float = 30.0) -> list[str]:
        """Let a program on each device publish; return the serial numbers of those that could."""
        done: list[str] = []
        for worker, theirs in self._shares(devices):
            done += _order(worker, {"say": theirs, "text": text, "seconds": seconds})
        return done

    def ended(self) -> list[str]:
        """Why agents ended by themselves, which they never should."""
        return [why for worker in self._workers for why in _order(worker, {"ended": True})]

    def _shares(self, devices: Sequence[Path]) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
        for worker in self._workers:
            theirs = [str(each) for each in devices if self._devices[each] is worker]
            if theirs:
                yield worker, theirs


def _order(worker: subprocess.Popen[str], order: Mapping[str, object]) -> list[str]:
    assert worker.stdin
    assert worker.stdout
    worker.stdin.write(json.dumps(order) + "\n")
    worker.stdin.flush()
    line = worker.stdout.readline()
    assert line, "a worker of the fleet ended; see its log"
    done: list[str] = json.loads(line)
    return done


class Worker:
    """The devices of one process."""

    def __init__(self, address: str, agents: asyncio.TaskGroup) -> None:
        self._address = address
        self._group = agents
        self._agents: dict[str, Composition] = {}
        self._ended: list[str] = []

    async def obey(self, order: dict[str, Any]) -> list[str]:
        """Carry one order out."""
        match order:
            case {"plug_in": devices}:
                for device in devices:
                    self._plug_in(device)
                return []
            case {"say": devices, "text": text, "seconds": seconds}:
                said = [self._say(device, text, seconds) for device in devices]
                return [serial for serial in await asyncio.gather(*said) if serial]
            case _:
                return self._ended

    def _plug_in(self, device: str) -> None:
        settings = settings_of(Path(device), self._address)
        composition = compose(settings, Outside(open_store=WitnessStore))
        self._group.create_task(self._travel(settings, composition), name=device)
        self._agents[device] = composition

    async def _travel(self, settings: AgentSettings, composition: Composition) -> None:
        try:
            with locked(settings.state):
                await composition.agent.travel()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is told
            self._ended.append(f"{settings.identity.name}: {error!r}")

    async def _say(self, device: str, text: str, seconds: float) -> str:
        composition = self._agents[device]
        try:
            async with asyncio.timeout(seconds):
                await composition.agent.publish("count", text.encode())
        except TimeoutError:
            return ""
        return Path(device).name


async def work(address: str) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS))
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    async with asyncio.TaskGroup() as agents:
        worker = Worker(address, agents)
        while line := await orders.readline():
            print(json.dumps(await worker.obey(json.loads(line))), flush=True)


def main() -> None:
    """Serve orders until standard input ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    asyncio.run(work(sys.argv[1]))


def has_arrived(device: Path) -> bool:
    """Whether the agent believes so."""
    return remembered(device).journey is State.OPERATIONAL


if __name__ == "__main__":
    main()
