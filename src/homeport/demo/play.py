# SPDX-License-Identifier: Apache-2.0
"""The story of the demo: minted, handed over, sold, plugged in, arrived; and one that waits."""

import json
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from homeport.demo.stage import DemoError, Ended, Stage, free_ports, make_token, program

MODEL: Final = "EX-100"
SOLD: Final = 3
"""Devices with a file key that were sold before they are plugged in."""
START_SECONDS: Final = 30.0
ARRIVE_SECONDS: Final = 30.0

out: Final = Console(highlight=False, soft_wrap=True)


@dataclass(slots=True)
class Play:
    """What the scenes share."""

    stage: Stage
    begun: float = field(default_factory=time.monotonic)
    sold: list[str] = field(default_factory=list)
    unsold: str = ""
    stores: dict[str, Path] = field(default_factory=dict)
    messages: Path | None = None

    @property
    def data(self) -> Path:
        """The platform's directory."""
        return self.stage.directory / "platform"

    @property
    def platform(self) -> Sequence[str | Path]:
        """The option that names this platform to the operator's verbs."""
        return ("--config", self.stage.directory / "server.toml")

    def tell(self, text: str) -> None:
        """Print a line of the story, with its time."""
        out.print(f"[dim]{time.monotonic() - self.begun:5.1f} s[/]  {text}")

    def device(self, serial: str) -> dict[str, Any]:
        """Return what the platform knows of a device."""
        document: dict[str, Any] = self.stage.ask("device", "show", serial, *self.platform)
        return document


def main(*, ends_by_itself: bool) -> int:
    """Play it; return 0 only if every device arrived."""
    has_arrived = False
    try:
        with Stage() as stage:
            play = Play(stage)
            scenes(play)
            has_arrived = True
            if not ends_by_itself:
                _stay(play)
    except DemoError as error:
        out.print(f"[bold red]The demo stopped.[/] {escape(str(error))}")
        return 1
    except Ended as ended:
        out.print("\nEnded.")
        return 0 if has_arrived else ended.status
    return 0


def scenes(play: Play) -> None:
    """Play all scenes, in order."""
    out.print("[bold]Homeport demo[/]: every process, key, certificate and message is real.\n")
    start_platform(play)
    mint(play)
    hand_over_and_sell(play)
    plug_in(play)
    claim_the_last(play)
    tell_the_end(play)


def start_platform(play: Play) -> None:
    """Start the platform: HTTPS, CA, registry and message broker in one command."""
    port, operations, mqtt = free_ports(3)
    (play.stage.directory / "server.toml").write_text(
        f'data = "{play.data}"\nname = "localhost"\n'
        f'[listen]\naddress = "127.0.0.1"\nport = {port}\noperations_port = {operations}\n'
        f'mqtt_address = "127.0.0.1"\nmqtt_port = {mqtt}\n'
    )
    play.stage.start("platform", "serve", *play.platform)
    ready = play.data / "ready.json"
    play.stage.until("the platform is ready", ready.exists, START_SECONDS)
    play.tell(
        f"[bold]platform[/]: https://localhost:{port} (enrolment), MQTT with TLS on port {mqtt}"
    )
    play.messages = play.stage.start("messages", "upstream", "watch", "--json", *play.platform)


def mint(play: Play) -> None:
    """Mint devices: most with a software key, one in a PKCS#11 token."""
    stage, factory = play.stage, play.stage.directory / "factory"
    anchors = stage.directory / "platform.pem"
    stage.run("platform", "anchors", "--output", anchors, *play.platform)
    url = stage.ask("platform", "show", *play.platform)["url"]
    stage.run(
        "factory", "init", factory, "--name", "Example Works", "--label-host",
        "https://scan.example", "--platform-name", "localhost", "--platform-url", url,
        "--platform-anchors", anchors,
    )  # fmt: skip
    devices = stage.directory / "devices"
    count = str(SOLD + 1)
    stage.run("factory", "mint", factory, "--model", MODEL, "--count", count, "--split", devices)
    play.tell(
        f"[bold]factory[/]: {count} devices minted, each with an identity (IDevID) of its own"
    )
    token = make_token(stage)
    if token:
        stage.run(
            "factory", "mint", factory, "--model", f"{MODEL}-S", "--count", "1", "--key", token,
            "--split", devices,
        )  # fmt: skip
        play.tell(
            "[bold]factory[/]: 1 more, its key made inside a PKCS#11 token that never gives it out"
        )
    else:
        play.tell(
            "[dim]no SoftHSM here, so no device with a key in a token (apt install softhsm2)[/]"
        )
    play.stores = {path.name: path for path in sorted(devices.iterdir()) if path.is_dir()}
    *play.sold, last = [s for s, store in play.stores.items() if (store / "idevid.key").exists()]
    play.sold += [s for s in play.stores if s not in (*play.sold, last)]
    play.unsold = last


def hand_over_and_sell(play: Play) -> None:
    """Hand the manifest to the platform, and say who bought what: all but one."""
    stage, factory = play.stage, play.stage.directory / "factory"
    manifest, sales = stage.directory / "manifest.jsonl", stage.directory / "sales.csv"
    stage.run("factory", "hand-over", factory, "--output", manifest)
    stage.run(
        "manifest", "import", manifest, "--anchor", factory / "idevid-anchor.pem", *play.platform
    )
    stage.run("tenant", "add", "acme", "--title", "Acme Ltd", *play.platform)
    rows = [f"{serial},acme\n" for serial in play.sold]
    sales.write_text("".join(["serial_number,tenant\n", *rows]))
    stage.run("sales", "import", sales, *play.platform)
    play.tell(
        f"[bold]sales[/]: {len(play.sold)} of {len(play.stores)} devices were sold to Acme;"
        f" nobody bought {play.unsold} yet"
    )


def plug_in(play: Play) -> None:
    """Plug the devices in. From here on nobody touches them."""
    for serial, store in play.stores.items():
        state = play.stage.directory / "states" / serial
        play.stage.start(serial, "agent", "run", "--identity", store, "--state", state)
    play.tell(f"[bold]{len(play.stores)} devices[/] are plugged in; from here nobody touches them")
    waiting = set(play.sold)

    def arrived() -> bool:
        listed = play.stage.ask("device", "list", "--state", "operational", *play.platform)
        for serial in sorted(waiting & {device["serial_number"] for device in listed}):
            waiting.remove(serial)
            play.tell(f"[bold green]{serial}[/] arrived: its first message is at its upstream")
        return not waiting

    play.stage.until("all sold devices arrive", arrived, ARRIVE_SECONDS)
    send(play, play.sold[0], "21.5")


def send(play: Play, serial: str, temperature: str) -> None:
    """Let an application on the device publish, and show the message at the upstream."""
    stage = play.stage
    state = stage.directory / "states" / serial
    stage.run("agent", "publish", "temperature", temperature, "--state", state)
    log = play.messages
    assert log is not None  # noqa: S101 - started with the platform
    stage.until("the message", lambda: serial in log.read_text(), ARRIVE_SECONDS)
    message = json.loads(log.read_text().splitlines()[-1])
    play.tell(f"[bold]message[/]: {message['topic']}  {message['payload']}")


def claim_the_last(play: Play) -> None:
    """Show why one device waits, supply the fact, and see it go on within a second."""
    serial = play.unsold

    def is_parked() -> bool:
        return str(play.device(serial)["state"]).startswith("awaiting")

    play.stage.until(f"{serial} asks", is_parked, ARRIVE_SECONDS)
    out.print()
    out.print(f"[bold]$ homeport device show {serial}[/]")
    out.print(escape(play.stage.run("device", "show", serial, *play.platform)))
    out.print(f"[bold]$ homeport device assign {serial} --tenant acme[/]")
    play.stage.run("device", "assign", serial, "--tenant", "acme", *play.platform)
    begun = time.monotonic()
    play.stage.until(
        f"{serial} arrives", lambda: play.device(serial)["state"] == "operational", ARRIVE_SECONDS
    )
    took = time.monotonic() - begun
    play.tell(f"[bold green]{serial}[/] arrived {took:.1f} s after its owner was known")
    out.print()


def tell_the_end(play: Play) -> None:
    """Show the list of devices."""
    out.print("[bold]$ homeport device list[/]")
    out.print(escape(play.stage.run("device", "list", *play.platform)))
    listed = play.stage.ask("device", "list", *play.platform)
    lost = [d["serial_number"] for d in listed if d["state"] != "operational"]
    if lost or len(listed) != len(play.stores):
        raise DemoError(f"not arrived: {', '.join(lost)}")


def _stay(play: Play) -> None:
    option = f"--config {play.stage.directory}/server.toml"
    first = play.sold[0]
    other = f"{play.stage.directory}/states/{play.sold[1]}"
    out.print("The platform and the devices keep running. In another terminal, try:\n")
    for command in (
        f"device show {first} {option}",
        f"device revoke {first} {option}",
        f"upstream watch {option}",
        f"agent status --state {play.stage.directory}/states/{first}",
        f"agent publish temperature 30 --state {other}",
    ):
        out.print(f"  {escape(program())} {escape(command)}")
    out.print("\nCtrl-C ends everything.")
    while True:
        signal.pause()
