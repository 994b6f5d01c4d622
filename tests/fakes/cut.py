# SPDX-License-Identifier: Apache-2.0
"""Agents against a real platform, each killed where its order says: a program and its driver.

Like `fakes.plug` it loads everything once and forks a child for each run; here platform, broker and
MQTT library are real. A run is cut (SIGKILL) at the n-th act, when a state is on the disk, or
after a while; without a cut it ends when the device is home.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import msgspec
from awscrt import mqtt

from fakes.agents import until
from fakes.fleet import WitnessStore, settings_of
from fakes.plug import Plug, plugged_keys
from homeport.agent.compose import Composition, Outside, compose
from homeport.agent.journey import State
from homeport.agent.memory.records import Lifetime, Saved
from homeport.agent.memory.store import Store, locked
from homeport.agent.settings import RestSettings
from homeport.protocols.mqtt.device import UplinkSettings, open_uplink
from homeport.protocols.mqtt.device.uplink import Handler, Uplink

KILLED = -signal.SIGKILL
RUN_SECONDS = 60.0
REST = timedelta(milliseconds=100)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What one child is to do."""

    device: str
    address: str
    key_before: str = ""
    """Home is where there is a certificate for another key than this."""
    is_reset: bool = False
    """Somebody resets the device at once."""
    cut_at: int = 0
    """The act, counted twice, before and after; 0: none."""
    cut_in: State | None = None
    """When this is on the disk."""
    cut_after: float = 0.0
    """Seconds; 0: never."""


class Ended(msgspec.Struct, frozen=True):
    """How the child ended, and how many instants it passed (0 if it was cut)."""

    status: int
    passed: int


class Cutter:
    """Starts the program; `run` carries one order out."""

    def __init__(self, log: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fakes.cut"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, env=environment,
            )  # fmt: skip

    def run(self, order: Order) -> Ended:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Ended)

    def end(self) -> None:
        self._process.communicate(timeout=10)


def cutting_store(plug: Plug, cut_in: State | None) -> Callable[[Path], Store]:
    class CuttingStore(WitnessStore):
        def save(self, saved: Saved) -> None:
            with plug.around():
                super().save(saved)
            if saved.journey is cut_in:
                os.kill(os.getpid(), signal.SIGKILL)

        def save_lifetime(self, lifetime: Lifetime) -> None:
            with plug.around():
                super().save_lifetime(lifetime)

    return CuttingStore


@dataclass
class CutUplink:
    """A real connection with an instant before and after each act."""

    inner: Uplink
    plug: Plug

    async def connect(self) -> None:
        with self.plug.around():
            await self.inner.connect()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        with self.plug.around():
            await self.inner.publish(topic, payload, retain=retain)

    async def subscribe(self, pattern: str, handler: Handler, *, qos: int = 1) -> None:
        with self.plug.around():
            await self.inner.subscribe(pattern, handler, qos=qos)

    async def lost(self) -> str:
        return await self.inner.lost()

    async def disconnect(self) -> None:
        await self.inner.disconnect()


async def travel(order: Order, composition: Composition) -> None:
    """Run the agent until the device is home."""
    logbook = composition.tools.logbook

    def is_home() -> bool:
        saved = logbook.saved
        return (
            saved.journey is State.OPERATIONAL
            and composition.agent._operating.link is not None
            and saved.earlier is None
            and not saved.retired
            and saved.credential is not None
            and saved.credential.key != order.key_before
        )

    async with asyncio.TaskGroup() as group:
        journey = group.create_task(composition.agent.travel())
        if order.is_reset:
            composition.agent.reset()
        await until(is_home, RUN_SECONDS)
        journey.cancel()


def run(order: Order) -> int:
    """Run one agent; return the instants passed."""
    plug = Plug(order.cut_at)
    settings = replace(
        settings_of(Path(order.device), order.address), rest=RestSettings(REST, REST * 5, REST * 5)
    )

    def open_cut_uplink(uplink: UplinkSettings) -> CutUplink:
        return CutUplink(open_uplink(uplink), plug)

    outside = Outside(
        open_uplink=open_cut_uplink,
        open_store=cutting_store(plug, order.cut_in),
        make_key_ring=plugged_keys(plug),
    )
    if order.cut_after:
        # Its default is to end the process at once, like SIGKILL.
        signal.setitimer(signal.ITIMER_REAL, order.cut_after)

    async def live() -> None:
        await travel(order, compose(settings, outside))

    with locked(settings.state):
        asyncio.run(live())
    return plug.passed


def main() -> None:
    """Serve orders until standard input ends."""
    assert mqtt.Connection  # loaded once, before the forks
    for line in sys.stdin:
        order = msgspec.json.decode(line, type=Order)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.write(writing, str(run(order)).encode())
                status = 0
            finally:
                sys.stderr.flush()
                os._exit(status)
        os.close(writing)
        passed = os.read(reading, 20)
        os.close(reading)
        _, status = os.waitpid(child, 0)
        ended = os.waitstatus_to_exitcode(status)
        print(json.dumps({"status": ended, "passed": int(passed or 0)}), flush=True)


if __name__ == "__main__":
    main()
