# SPDX-License-Identifier: Apache-2.0
"""A whole site in network namespaces, every part of it real.

A factory has minted devices; `homeport serve` runs behind the gateway's far side; dnsmasq gives
addresses and names the platform (options 143 and 136); agents run in namespaces of their own with
nothing but their device store, in which the default address leads nowhere. The platform's name is
in no DNS.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from fakes.live import run
from fakes.network import PLATFORM4, PLATFORM6, Lan
from fakes.waiting import wait_until
from homeport.agent.discovery.options import encode_bootstrap_servers
from homeport.clock import SystemClock
from homeport.domain.credential import Credential
from homeport.provisioning.add_upstream import add_own_upstream
from homeport.provisioning.ports import Presence, Transaction
from homeport.server.opening import open_registry
from homeport.server.settings import load_settings

Result = TypeVar("Result")

NAME: Final = "platform.example"
PORT: Final = 8443
URL4: Final = f"https://{PLATFORM4}:{PORT}"
URL6: Final = f"https://[{PLATFORM6}]:{PORT}"
NOWHERE: Final = "https://192.0.2.1:8443"
"""The default address in every device store: of TEST-NET-1 (RFC 5737), to which nothing leads."""
TENANT: Final = "acme"
MODEL: Final = "EX"
UNSOLD: Final = "UN"
START_SECONDS: Final = 60
"""A loaded machine takes ten for Python, broker and migrations."""
ARRIVE_SECONDS: Final = 40
HOMEPORT: Final = (sys.executable, "-m", "homeport")

SETTINGS: Final = """\
data = "{data}"
name = "{name}"
[listen]
port = {port}
websocket_port = 443
"""


def option143(*urls: str) -> str:
    """The line of dnsmasq's configuration that names bootstrap servers by DHCP."""
    return f"dhcp-option-force=143,{encode_bootstrap_servers(urls).hex(':')}"


def option136(*urls: str) -> str:
    """The same by DHCPv6."""
    return f"dhcp-option=option6:136,{encode_bootstrap_servers(urls).hex(':')}"


def serial_of(store: Path) -> str:
    """The serial number of a device store."""
    serial: str = tomllib.loads((store / "device.toml").read_text())["serial_number"]
    return serial


def configure(directory: Path, name: str) -> Path:
    """Write a platform's settings; its data lies beside them."""
    config = directory / "server.toml"
    config.write_text(SETTINGS.format(data=directory / "data", name=name, port=PORT))
    return config


@dataclass
class Works:
    """A factory, what it has minted so far, and a platform that knows of it and never ran."""

    directory: Path
    unused: dict[str, list[Path]] = field(default_factory=dict)

    @classmethod
    def make(cls, directory: Path, sold: int, unsold: int) -> Self:
        """Mint devices of two models; hand all over, and say that those of one were sold."""
        works = cls(directory)
        works.platform.mkdir(parents=True)
        config, anchors = configure(works.platform, NAME), directory / "platform.pem"
        run("platform", "anchors", "--output", anchors, "--config", config)
        run(
            "factory", "init", works.factory, "--name", "Example Works", "--label-host",
            "label.example", "--platform-name", NAME, "--platform-url", NOWHERE,
            "--platform-anchors", anchors,
        )  # fmt: skip
        asyncio.run(_begin(config))
        run("tenant", "add", TENANT, "--config", config)
        works.mint(MODEL, sold)
        works.mint(UNSOLD, unsold)
        works.hand_over(config)
        sales = directory / "sales.csv"
        sales.write_text(f"serial_number,tenant\n{MODEL}-000001..{MODEL}-999999,{TENANT}\n")
        run("sales", "import", sales, "--config", config)
        return works

    @property
    def factory(self) -> Path:
        """The factory's directory."""
        return self.directory / "factory"

    @property
    def platform(self) -> Path:
        """A platform's directory, to be copied."""
        return self.directory / "platform"

    def mint(self, model: str, count: int, *options: object) -> None:
        """Mint devices."""
        stores = self.directory / "stores"
        before = set(stores.iterdir()) if stores.exists() else set()
        run(
            "factory", "mint", self.factory, "--model", model, "--count", count, "--split",
            stores, *options,
        )  # fmt: skip
        made = {each for each in stores.iterdir() if each.is_dir()} - before
        self.unused.setdefault(model, []).extend(sorted(made, reverse=True))

    def hand_over(self, config: Path) -> None:
        """Give a platform the manifest of all devices so far."""
        manifest = self.directory / f"manifest-{os.urandom(4).hex()}.jsonl"
        run("factory", "hand-over", self.factory, "--output", manifest)
        anchor = self.factory / "idevid-anchor.pem"
        run("manifest", "import", manifest, "--anchor", anchor, "--config", config)

    def take(self, model: str = MODEL) -> Path:
        """Return the store of a device that nobody has used yet."""
        return self.unused[model].pop()


async def _begin(config: Path) -> None:
    """Make the registry, as the first `homeport serve` does."""
    async with open_registry(load_settings(config, {})) as registry:
        await registry.transact(lambda tx: add_own_upstream(tx, now=SystemClock().now()))


@dataclass(frozen=True)
class Seen:
    """What a platform knows of a device."""

    state: str
    presence: Presence | None

    @property
    def is_online(self) -> bool:
        """Whether it is connected, as far as the platform knows."""
        return self.presence is not None and self.presence.online


class ServedPlatform:
    """`homeport serve` on one host of a network, and its operator."""

    def __init__(self, lan: Lan, role: str, directory: Path, name: str = NAME) -> None:
        """Take a directory; it may hold a platform's data already."""
        self._lan = lan
        self._role = role
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.config = configure(directory, name)
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Start it, and somebody who is permitted to hear its devices."""
        self._start("serve")
        self._until(self.directory / "data" / "ready.json")
        self._start("upstream", "watch", "--json")
        return self

    def __exit__(self, *_: object) -> None:
        """End both."""
        for process in reversed(self._processes):
            end(process)

    def operate(self, *arguments: object) -> str:
        """Run an operator's command."""
        return run(*arguments, "--config", self.config)

    def story(self, serial: str) -> dict[str, Any]:
        """What the operator is shown of a device, its timeline included."""
        shown: dict[str, Any] = json.loads(self.operate("device", "show", serial, "--json"))
        return shown

    def events(self, serial: str) -> list[str]:
        """The names of all that happened to a device."""
        return [event["event"] for event in self.story(serial)["timeline"]]

    def last(self, serial: str, event: str) -> dict[str, Any]:
        """The latest event of this name, with `at` as an instant."""
        timeline = self.story(serial)["timeline"]
        found: dict[str, Any] = [each for each in timeline if each["event"] == event][-1]
        return found | {"at": datetime.fromisoformat(found["at"])}

    def look(self, serial: str) -> Seen:
        """Look a device up, in a millisecond or two."""
        return self._read(lambda tx: _seen(tx, serial))

    def credentials(self, serial: str) -> Sequence[Credential]:
        """All certificates that a device ever got, oldest first."""
        return self._read(lambda tx: _credentials(tx, serial))

    def _read(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        async def reading() -> Result:
            async with open_registry(load_settings(self.config, {})) as registry:
                return await registry.read(verb)

        return asyncio.run(reading())

    def until(self, serial: str, state: str, seconds: float = ARRIVE_SECONDS) -> None:
        """Wait until a device stands there."""
        try:
            wait_until(lambda: self.look(serial).state == state, seconds)
        except TimeoutError:
            raise AssertionError(f"{self.look(serial)}, not {state}\n{self.log()}") from None

    def messages(self, serial: str) -> list[str]:
        """The payloads that a permitted subscriber has heard from a device."""
        lines = (self.directory / "upstream.log").read_text().splitlines()
        heard = [json.loads(line) for line in lines if line.startswith("{")]
        return [each["payload"] for each in heard if serial in each["topic"]]

    def log(self) -> str:
        """The end of what it logged."""
        return "\n".join((self.directory / "serve.log").read_text().splitlines()[-20:])

    def _start(self, *verb: str) -> None:
        with (self.directory / f"{verb[0]}.log").open("wb") as log:
            command = [*HOMEPORT, *verb, "--config", str(self.config)]
            self._processes.append(
                subprocess.Popen(
                    self._lan.command(self._role, command), stdin=subprocess.DEVNULL,
                    stdout=log, stderr=subprocess.STDOUT,
                )
            )  # fmt: skip

    def _until(self, ready: Path) -> None:
        limit = time.monotonic() + START_SECONDS
        while not ready.exists():
            if self._processes[0].poll() is not None or time.monotonic() > limit:
                self.__exit__(None, None, None)
                raise AssertionError(self.log())
            time.sleep(0.02)


async def _seen(tx: Transaction, serial: str) -> Seen:
    (device,) = await tx.devices.find(serial)
    enrolment = await tx.enrolments.latest(device.id)
    presence = await tx.presence.get(device.id)
    return Seen(str(enrolment.state) if enrolment else "registered", presence)


async def _credentials(tx: Transaction, serial: str) -> Sequence[Credential]:
    (device,) = await tx.devices.find(serial)
    return await tx.credentials.of_device(device.id)


class PluggedDevice:
    """A device on the LAN, powered on: `homeport agent run` in its namespace."""

    def __init__(self, lan: Lan, host: str, store: Path, state: Path, *, address: str) -> None:
        """Take the host it runs on, its store, where it remembers, and its IPv4 address if any."""
        self._lan = lan
        self.host = host
        self.address = address
        self.serial = serial_of(store)
        self.store = store
        self.state = state
        self.log = state.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def power_on(
        self,
        *options: object,
        command: Sequence[str] = HOMEPORT,
        env: Mapping[str, str] | None = None,
    ) -> Self:
        """Start the agent."""
        argv = [
            *command, "agent", "run", "--identity", self.store, "--state", self.state, *options,
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._lan.command(self.host, [str(each) for each in argv]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
            )  # fmt: skip
        return self

    def power_off(self) -> None:
        """Tell the agent to end."""
        if self._process is not None:
            end(self._process)
            self._process = None

    @property
    def has_ended(self) -> bool:
        """Whether the agent ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def status(self) -> dict[str, Any]:
        """What the agent says of itself; nothing before its first word."""
        try:
            said: dict[str, Any] = json.loads((self.state / "status.json").read_text())
        except (OSError, ValueError):
            return {}
        return said

    def publish(self, channel: str, payload: str, *options: object) -> None:
        """Let a program on the device send a message, and demand that the broker takes it."""
        run("agent", "publish", channel, payload, "--state", self.state, *options)

    def reset(self) -> None:
        """Let it forget its owner."""
        run("agent", "reset", "--state", self.state)

    def until(
        self, is_true: Callable[[dict[str, Any]], object], seconds: float = ARRIVE_SECONDS
    ) -> None:
        """Wait until its status says so."""
        try:
            wait_until(lambda: is_true(self.status()), seconds)
        except TimeoutError:
            raise AssertionError(f"{self.status()}\n{self.log.read_text()}") from None


class Site:
    """`with Site(works, directory, hosts=…) as site`: platform and LAN are there, nothing plugged.

    Network options are those of `Lan`; addresses come by DHCP.
    """

    def __init__(self, works: Works, directory: Path, hosts: Sequence[str], **network: Any) -> None:
        """Take the factory, an empty directory, the LAN's hosts and what `Lan` takes."""
        self.works = works
        self.directory = directory
        self.lan = Lan(hosts, static=False, **network)
        self._free = list(reversed(hosts))
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        """Build the network and start the platform."""
        try:
            self._closing.enter_context(self.lan)
            home = self.directory / "platform"
            shutil.copytree(self.works.platform, home)
            self.platform = self._closing.enter_context(ServedPlatform(self.lan, "platform", home))
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End everything, devices first."""
        self._closing.close()

    def free_host(self) -> str:
        """Name a host of the LAN that nobody uses yet."""
        return self._free.pop()

    def device(self, store: Path | None = None, *, lease: bool = True) -> PluggedDevice:
        """Put a device on the LAN and let it get an address by DHCP; its agent does not run yet."""
        host = self.free_host()
        address = self.lan.lease(host) if lease else ""
        home = store or self.works.take()
        states = self.directory / "states"
        states.mkdir(exist_ok=True)
        device = PluggedDevice(self.lan, host, home, states / host, address=address)
        self._closing.callback(device.power_off)
        return device

    def arrives(self, device: PluggedDevice, seconds: float = ARRIVE_SECONDS) -> None:
        """Wait until it is operational at the platform; then a program's message must be heard."""
        arrives_at(self.platform, device, seconds)


def arrives_at(
    platform: ServedPlatform, device: PluggedDevice, seconds: float = ARRIVE_SECONDS
) -> None:
    """Wait for a device, and demand that the platform's story and the subscriber agree."""
    limit = time.monotonic() + seconds
    while platform.look(device.serial).state != "operational":
        if time.monotonic() > limit or device.has_ended:
            seen = platform.look(device.serial)
            raise AssertionError(f"{seen}\n{device.log.read_text()}\n{platform.log()}")
        time.sleep(0.02)
    assert "enrolment:completed" in platform.events(device.serial)
    word = f"here is {device.serial} {os.urandom(4).hex()}"
    device.publish("greeting", word)
    wait_until(lambda: any(word in each for each in platform.messages(device.serial)), 15)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, politely first."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
