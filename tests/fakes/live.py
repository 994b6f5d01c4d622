# SPDX-License-Identifier: Apache-2.0
"""A real platform for tests: `homeport serve` as a process on free ports, and its operator."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from homeport.demo.stage import free_ports
from homeport.domain.device import DeviceId
from homeport.protocols.native.wire import (
    ENROL_PATH,
    GREETING_PATH,
    RENEW_PATH,
    AnyAnswer,
    Greeting,
    read_answer,
    read_greeting,
)

HOMEPORT: Final = (sys.executable, "-m", "homeport")
NAME: Final = "platform.test"
START_SECONDS: Final = 60
"""A loaded machine takes ten for Python, broker and migrations."""

SETTINGS: Final = """\
data = "{data}"
name = "{name}"
[listen]
address = "127.0.0.1"
port = {port}
operations_port = {operations}
mqtt_address = "127.0.0.1"
mqtt_port = {mqtt}
{more}
"""


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


def run(*arguments: object) -> str:
    """Run `homeport …` to its end and demand success."""
    done = subprocess.run(
        [*HOMEPORT, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"homeport {' '.join(map(str, arguments))}\n{done.stderr}"
    return done.stdout


class LivePlatform:
    """`with LivePlatform(directory) as platform`: it answers inside, and has ended afterwards."""

    def __init__(self, directory: Path, more: str = "", name: str = NAME) -> None:
        """Take an empty directory, further settings (TOML), and how it is called."""
        self.name = name
        self.directory = directory
        self.port, operations, self.mqtt_port = free_ports(3)
        self.config = directory / "server.toml"
        self.config.write_text(
            SETTINGS.format(
                data=directory / "data",
                name=name,
                port=self.port,
                operations=operations,
                mqtt=self.mqtt_port,
                more=more,
            ),
            encoding="utf-8",
        )
        self.anchors = directory / "platform.pem"
        self.log = directory / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://{self.name}:{self.port}"

    @property
    def address(self) -> str:
        """Where it listens; the name in its URL has no address."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.directory / "data"

    @property
    def registry(self) -> Path:
        """Its registry's file."""
        return self.data / "registry.sqlite"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running server."""
        assert self._process is not None
        return self._process

    @property
    def is_running(self) -> bool:
        """Whether it was started and not ended by us."""
        return self._process is not None

    def __enter__(self) -> Self:
        self.operate("platform", "anchors", "--output", self.anchors)
        try:
            self.start()
            self.wait_until_it_answers()
        except BaseException:
            self.end(signal.SIGKILL)
            raise
        return self

    def start(self) -> None:
        """Start the process; it does not answer yet."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*HOMEPORT, "serve", "--config", str(self.config)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def __exit__(self, *_error: object) -> None:
        self.end()

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process and wait for it."""
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def operate(self, *arguments: object) -> str:
        """Run an operator's command of this platform."""
        return run(*arguments, "--config", self.config)

    def sell(self, serial_number: str, tenant: str) -> None:
        """Import a sales record."""
        self.operate("sales", "import", self.sales_of([serial_number], tenant))

    def sales_of(self, serial_numbers: Sequence[str], tenant: str) -> Path:
        """Write a file of sales records."""
        record = self.directory / f"sales-{os.urandom(4).hex()}.csv"
        rows = "".join(f"{serial_number},{tenant}\n" for serial_number in serial_numbers)
        record.write_text(f"serial_number,tenant\n{rows}", encoding="utf-8")
        return record

    def timeline(self, device: DeviceId | str) -> list[dict[str, Any]]:
        """What the platform tells of a device."""
        shown = json.loads(self.operate("device", "show", device, "--json"))
        events: list[dict[str, Any]] = shown["timeline"]
        return events

    def wait_until_logged(self, text: str) -> None:
        """Return when the log has the text: it is written a moment after the answer."""
        end = time.monotonic() + 10
        while text not in self.log.read_text(encoding="utf-8"):
            assert time.monotonic() < end, self.log.read_text(encoding="utf-8")[-2000:]
            time.sleep(0.02)

    def connect(self) -> ssl.SSLSocket:
        """Open a TLS connection, verified by the platform's anchors and name."""
        context = ssl.create_default_context(cafile=str(self.anchors))
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return context.wrap_socket(plain, server_hostname=self.name)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection(NAME, self.port, timeout=60)
        connection.sock = self.connect()
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body or None, sent)
            return reply_on(connection)
        finally:
            connection.close()

    def greet(self) -> Greeting:
        return read_greeting(self.ask("GET", GREETING_PATH).body)

    def enrol(self, body: bytes) -> Reply:
        return self.ask("POST", ENROL_PATH, body)

    def renew(self, body: bytes) -> Reply:
        return self.ask("POST", RENEW_PATH, body)

    def wait_until_it_answers(self) -> None:
        """Wait for its first answer; its log, if it ends instead."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            try:
                if self.ask("GET", GREETING_PATH).status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"no answer in {START_SECONDS} s\n{self.log.read_text('utf-8')}")


def reply_on(connection: http.client.HTTPConnection) -> Reply:
    """Read the answer to what was sent."""
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, headers, response.read())


def answer_in(reply: Reply) -> AnyAnswer:
    """Read a signed answer without looking at its signature; the unit tests do."""
    assert reply.status == 200, reply.body
    from homeport.pki import jws

    return read_answer(jws.parse(reply.body, limit=1 << 18).unverified_payload)


class LiveFactory:
    """A factory in a directory, driven by its command line."""

    def __init__(self, directory: Path, platform: LivePlatform) -> None:
        """Begin it for a platform."""
        self.directory = directory
        self._platform = platform
        run(
            "factory", "init", directory, "--name", "Example Factory", "--label-host",
            "label.example", "--platform-name", NAME, "--platform-url", platform.url,
            "--platform-anchors", platform.anchors,
        )  # fmt: skip

    def mint(self, count: int, model: str = "EX-100", *, is_known: bool = True) -> list[Path]:
        """Mint devices and, unless they are to be unknown, hand them over; return their stores."""
        stores = self.directory / "devices"
        before = set(stores.iterdir()) if stores.exists() else set()
        run(
            "factory", "mint", self.directory, "--model", model, "--count", count,
            "--split", stores,
        )  # fmt: skip
        if is_known:
            self.hand_over()
        return sorted(set(stores.iterdir()) - before)

    def mint_sold(self, count: int, tenant: str) -> list[Path]:
        """Mint devices that have an owner; return their stores."""
        stores = self.mint(count)
        names = [store.name for store in stores]
        self._platform.operate("sales", "import", self._platform.sales_of(names, tenant))
        return stores

    def hand_over(self) -> None:
        """Give the platform the manifest of everything minted."""
        manifest = self.directory / f"manifest-{os.urandom(4).hex()}.jsonl"
        run("factory", "hand-over", self.directory, "--output", manifest)
        anchor = self.directory / "idevid-anchor.pem"
        self._platform.operate("manifest", "import", manifest, "--anchor", anchor)
