# SPDX-License-Identifier: Apache-2.0
"""`homeport agent` as a program, with a real platform and a real broker, by its own commands."""

import asyncio
import json
import signal
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fakes.connect_proxy import ConnectProxy
from fakes.live import HOMEPORT, LiveFactory, LivePlatform
from fakes.softhsm import make_token
from fakes.waiting import wait_until
from homeport.demo.stage import free_ports


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Iterator[LivePlatform]:
    directory = tmp_path_factory.mktemp("platform")
    with LivePlatform(directory, f"websocket_port = {free_ports(1)[0]}") as made:
        made.operate("tenant", "add", "acme")
        yield made


@pytest.fixture(scope="module")
def factory(platform, tmp_path_factory) -> LiveFactory:
    return LiveFactory(tmp_path_factory.mktemp("works") / "factory", platform)


class Device:
    """One device: its directories, and its agent's commands."""

    def __init__(self, home: Path, platform: LivePlatform, place: Path) -> None:
        self.home, self.platform, self.state = home, platform, place / "state"
        self.serial_number = tomllib.loads((home / "device.toml").read_text())["serial_number"]
        self.log = place / "agent.log"
        self.options = ["--identity", home, "--state", self.state, "--address", platform.address]

    def run(self, verb: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [*HOMEPORT, "agent", verb, *map(str, (*arguments, *self.options))]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def ask(self, verb: str, *arguments: object) -> Any:
        done = self.run(verb, *arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [*HOMEPORT, "agent", "run", *map(str, self.options)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            assert process.wait(20) in {0, -signal.SIGKILL}, self.log.read_text()

    def reaches(self, state: str) -> None:
        wait_until(lambda: self.told_state() == state, 20)

    def told_state(self) -> str:
        try:
            return str(json.loads((self.state / "status.json").read_text())["state"])
        except (OSError, ValueError):
            return ""

    def shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(
            self.platform.operate("device", "show", self.serial_number, "--json")
        )
        return shown


@pytest.fixture(scope="module")
def homes(platform, factory) -> list[Path]:
    """Devices for every test of this file, sold."""
    made = factory.mint(12)
    first, last = (
        tomllib.loads((home / "device.toml").read_text())["serial_number"]
        for home in (made[0], made[-1])
    )
    platform.sell(f"{first}..{last}", "acme")
    return list(made)


@pytest.fixture
def device(homes, platform, tmp_path) -> Device:
    return Device(homes.pop(), platform, tmp_path)


def test_a_device_comes_home_and_its_programs_publish(device):
    with device.running():
        device.reaches("operational")
        assert device.ask("publish", "temperature", "21.5") == {"ok": True}
        status = device.ask("status")
        assert (status["state"], status["tenant"], status["running"]) == (
            "operational", "acme", True
        )  # fmt: skip
        assert device.shown()["state"] == "operational"
    assert device.ask("status")["running"] is False


def test_status_is_said_in_words(device):
    with device.running():
        device.reaches("operational")
        said = device.run("status").stdout
    assert f"EX-100 {device.serial_number}: operational since" in said
    assert "software key: for development only" in said
    assert "connected  mqtt://" in said


def test_a_second_agent_on_the_same_state_is_refused(device):
    with device.running():
        device.reaches("operational")
        second = device.run("run")
        assert second.returncode == 1
        assert "Another agent uses this state directory." in second.stderr


def test_the_doctor_finds_a_healthy_device(device):
    with device.running():
        device.reaches("operational")
        done = device.run("doctor", "--json")
        findings = {each["check"].split(" ")[0]: each for each in json.loads(done.stdout)}
    assert {each["verdict"] for each in findings.values()} <= {"good", "doubtful", "skipped"}
    for check in ("memory", "LDevID", "TCP", "TLS", "greeting"):
        assert findings[check]["verdict"] == "good", findings[check]


def test_the_doctor_names_what_is_wrong(device):
    device.options[-1] = "https://127.0.0.1:1"
    done = device.run("doctor", "--json", "--patience", "2")
    assert done.returncode == 1
    bad = [each for each in json.loads(done.stdout) if each["verdict"] == "bad"]
    assert [each["check"].split(" ")[0] for each in bad] == ["TCP"]
    assert bad[0]["advice"]
    (device.home / "idevid.pem").unlink()
    done = device.run("doctor")
    assert done.returncode == 1
    assert "idevid.pem" in done.stdout


def test_a_reset_of_a_running_agent_asks_it(device):
    with device.running():
        device.reaches("operational")
        done = device.run("reset")
        assert "The running agent forgets the owner" in done.stdout
        # A second key on a device that was working: a person decides.
        device.reaches("parked")
        assert device.ask("status")["told"]["code"] == "decision"
        device.platform.operate("device", "accept", device.serial_number)
        device.reaches("operational")


def test_a_reset_while_no_agent_runs(device):
    with device.running():
        device.reaches("operational")
    assert device.run("reset").returncode == 0
    assert list((device.state / "keys").iterdir()) == []
    assert json.loads((device.state / "lifetime.json").read_text().splitlines()[0])["epoch"] == 1
    assert device.run("status").returncode == 1


def test_a_damaged_state_is_said_and_a_reset_mends_it(device):
    with device.running():
        device.reaches("operational")
    for name in ("state.json", "state.json.previous"):
        (device.state / name).write_bytes(b"\x00" * 100)
    done = device.run("run")
    assert done.returncode == 1
    assert "homeport agent reset" in done.stderr
    assert device.run("reset").returncode == 0
    with device.running():
        device.reaches("parked")


def test_revocation_and_readmission(device):
    with device.running():
        device.reaches("operational")
        device.platform.operate("device", "revoke", device.serial_number)
        device.reaches("revoked")
        assert device.ask("status")["told"]["code"] == "credential-revoked"
        assert device.run("publish", "temperature", "1", "--wait", "0.2").returncode == 1
    device.platform.operate("device", "readmit", device.serial_number)
    with device.running():
        device.reaches("operational")


def test_a_killed_agent_goes_on(device):
    with device.running() as process:
        device.reaches("operational")
        process.kill()
        process.wait()
    before = device.shown()
    with device.running():
        wait_until(lambda: device.run("publish", "temperature", "1").returncode == 0, 20)
        after = device.shown()
    issued = [e for e in after["timeline"] if e["event"] == "credential:issued"]
    assert len(issued) == 1, before


def test_keys_in_a_token(platform, factory, tmp_path):
    token = make_token()
    place = token.uri("x").replace(";object=x", "")
    stores = tmp_path / "stores"
    subprocess.run(
        [*HOMEPORT, "factory", "mint", factory.directory, "--model", "EX-100-S", "--count", "1",
         "--key", place, "--split", stores], check=True, capture_output=True,
    )  # fmt: skip
    manifest = tmp_path / "manifest.jsonl"
    subprocess.run(
        [*HOMEPORT, "factory", "hand-over", factory.directory, "--output", manifest],
        check=True, capture_output=True,
    )  # fmt: skip
    anchor = factory.directory / "idevid-anchor.pem"
    platform.operate("manifest", "import", manifest, "--anchor", anchor)
    (home,) = stores.iterdir()
    device = Device(home, platform, tmp_path)
    platform.sell(device.serial_number, "acme")
    with device.running():
        device.reaches("operational")
        assert device.ask("status")["key_kind"] == "pkcs11"
        assert device.ask("publish", "temperature", "21.5") == {"ok": True}
    assert list((device.state / "keys").iterdir()) == []
    assert device.run("reset").returncode == 0


@contextmanager
def proxy(authorization: str) -> Iterator[ConnectProxy]:
    """An HTTP proxy in a thread of its own."""
    made, ready, done = ConnectProxy(authorization), threading.Event(), threading.Event()

    async def serve() -> None:
        async with made:
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield made
    finally:
        done.set()
        thread.join()


def test_a_closed_network_lets_it_out_through_proxy_and_websocket(device, tmp_path):
    (tmp_path / "credentials").write_text("device:secret\n")
    with proxy("device:secret") as way:
        (tmp_path / "agent.toml").write_text(
            f'proxy = "http://127.0.0.1:{way.port}"\nproxy_credentials = "credentials"\n'
            'transport = "mqtt-websocket"\n'
        )
        device.options += ["--config", tmp_path / "agent.toml"]
        with device.running():
            device.reaches("operational")
            assert device.ask("publish", "temperature", "21.5") == {"ok": True}
            assert device.ask("status")["endpoint"].startswith("mqtt-websocket://")
        assert len(way.targets) == 2, "one tunnel to enrol, one for messages"


@pytest.mark.parametrize("arguments", [[], ["dance"], ["publish"], ["run", "--transport", "post"]])
def test_misuse_is_status_2(arguments):
    done = subprocess.run([*HOMEPORT, "agent", *arguments], capture_output=True, check=False)
    assert done.returncode == 2


def test_a_wrong_setting_is_named(tmp_path):
    (tmp_path / "agent.toml").write_text("adress = 1\n[rest]\nfirst = 2\n")
    done = subprocess.run(
        [*HOMEPORT, "agent", "status", "--config", tmp_path / "agent.toml", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "setting-wrong"
    assert "adress: no such setting" in error["detail"]
    assert "rest.first: is a duration" in error["detail"]
