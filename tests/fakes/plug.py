# SPDX-License-Identifier: Apache-2.0
"""An agent whose plug is pulled at a chosen instant: a program that the power-cut test drives.

It loads everything once and then, for each line that it reads (JSON: directories, scenario, the
instant to cut at), runs one agent in a forked child. The agent is built by `compose` with a store,
a key ring and a broker that count every act, before and after, and kill the process (SIGKILL) when
their count is reached. Each answer is a line: how the child ended, and how many instants it passed.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from fakes.agents import until
from fakes.uplink import FakeBroker, FakeUplink
from homeport.agent.compose import Composition, Outside, compose
from homeport.agent.journey import State
from homeport.agent.legs import grant
from homeport.agent.memory.key_ring import KeyRing
from homeport.agent.memory.logbook import Logbook
from homeport.agent.memory.records import Lifetime, Saved
from homeport.agent.memory.store import Store, locked
from homeport.agent.settings import AgentSettings, DiscoverySettings, RestSettings
from homeport.keys import PrivateKey
from homeport.protocols.mqtt.device import UplinkSettings

SOON = timedelta(milliseconds=10)


class Plug:
    """Counts instants; at the chosen one the power is gone."""

    def __init__(self, cut_at: int) -> None:
        """Take the instant; 0: never."""
        self._cut_at = cut_at
        self.passed = 0

    def instant(self) -> None:
        """One more."""
        self.passed += 1
        if self.passed == self._cut_at:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def around(self) -> Iterator[None]:
        """Before and after an act."""
        self.instant()
        yield
        self.instant()


def plugged_store(plug: Plug) -> Callable[[Path], Store]:
    class PluggedStore(Store):
        def save(self, saved: Saved) -> None:
            with plug.around():
                super().save(saved)

        def save_lifetime(self, lifetime: Lifetime) -> None:
            with plug.around():
                super().save_lifetime(lifetime)

    return PluggedStore


def plugged_keys(plug: Plug) -> Callable[[str, Path], KeyRing]:
    class PluggedKeyRing(KeyRing):
        def open_or_make(self, uri: str) -> PrivateKey:
            with plug.around():
                return super().open_or_make(uri)

        def delete(self, uri: str) -> bool:
            with plug.around():
                return super().delete(uri)

    return PluggedKeyRing


class PluggedUplink(FakeUplink):
    """Connects and publishes with an instant before and after."""

    plug: Plug

    async def connect(self) -> None:
        with self.plug.around():
            await super().connect()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        with self.plug.around():
            await super().publish(topic, payload, retain=retain)


async def scenario(
    name: str,
    composition: Composition,
    broker: FakeBroker,
    credential_before: str,
    command: str,
) -> None:
    """Run until the scenario's end is reached; `command` is said to the device once it is there."""
    logbook = composition.tools.logbook
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        journey = group.create_task(composition.agent.travel())
        if (
            name == "reset"
            and logbook.saved.journey is not State.RESETTING
            and (_key(logbook.saved) == credential_before)
        ):
            composition.agent.reset()
        if command:
            await _say(command, logbook, broker, credential_before)
        await until(
            lambda: (
                logbook.saved.journey is State.OPERATIONAL
                and bool(broker.connected)
                and not logbook.saved.retired
                and logbook.saved.earlier is None
                and logbook.saved.command is None
                and (name == "enrol" or _key(logbook.saved) != credential_before)
            )
        )
        journey.cancel()


async def _say(command: str, logbook: Logbook, broker: FakeBroker, credential_before: str) -> None:
    def is_over() -> bool:
        return _key(logbook.saved) != credential_before or logbook.saved.command is not None

    def is_there() -> bool:
        return logbook.saved.journey is State.OPERATIONAL and bool(broker.connected)

    await until(lambda: is_over() or is_there())
    credential = logbook.saved.credential
    if credential is not None and not is_over():
        broker.say(f"{credential.topics}/command", command.encode())


def _key(saved: Saved) -> str:
    return saved.credential.key if saved.credential else ""


def run(order: dict[str, Any]) -> int:
    """Run one agent with its plug; return the instants passed."""
    vars(grant)["EARLIEST_RENEWAL"] = -100.0  # Renew at once when the platform says so.
    plug, broker = Plug(order["cut_at"]), FakeBroker()

    def open_uplink(settings: UplinkSettings) -> FakeUplink:
        uplink = PluggedUplink(broker, settings)
        uplink.plug = plug
        return uplink

    root = Path(order["root"])
    settings = AgentSettings(
        identity=root / "device",
        state=root / "state",
        set_clock=False,
        rest=RestSettings(first=SOON, ceiling=SOON, refused=SOON),
        discovery=DiscoverySettings(announce=False),
    )
    outside = Outside(
        open_uplink=open_uplink,
        open_store=plugged_store(plug),
        make_key_ring=plugged_keys(plug),
    )
    with locked(settings.state):
        asyncio.run(run_in_loop(order, settings, outside, broker))
    return plug.passed


async def run_in_loop(
    order: dict[str, Any], settings: AgentSettings, outside: Outside, broker: FakeBroker
) -> None:
    composition = compose(settings, outside)
    before, command = order["credential_before"], order["command"]
    await scenario(order["scenario"], composition, broker, before, command)


def main() -> None:
    """Serve orders until standard input ends."""
    for line in sys.stdin:
        order = msgspec.json.decode(line)
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
        print(json.dumps({"ended": ended, "passed": int(passed or 0)}), flush=True)


if __name__ == "__main__":
    main()
