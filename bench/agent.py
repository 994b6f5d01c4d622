# SPDX-License-Identifier: Apache-2.0
"""`make bench NAME=agent`: what the agent costs its device.

Memory (VmRSS) when operational against a real platform, with the keys in a SoftHSM2 token and in
files; and the time from the start of the process to its first network packet: a listening socket
stands where the platform's address points, and sees the connection come in.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from bench.devices import MODEL, BenchDevice, BenchIssuer, make_issuer, serial_of
from bench.platform import BenchPlatform
from bench.report import Row, report
from homeport.keys import make_key
from homeport.pki.certificates import parse_certificate, pem_of
from homeport.pki.idevid import IdevIdMinter

GOAL_MEMORY = 60.0
"""MB resident, operational, key in a token."""
GOAL_FIRST_PACKET = 0.4
"""Seconds."""
SETTLE_SECONDS = 3.0
"""After `operational`: what is loaded late is loaded then."""
MESSAGES = 20
ARRIVE_SECONDS = 60.0


def main(*, quick: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="homeport-bench-") as place:
        directory = Path(place)
        token = make_token(directory)
        issuer = make_issuer()
        homes = {"token": directory / "token-device", "file": directory / "file-device"}
        devices = [
            mint(issuer, homes["token"], 0, f"pkcs11:{token.format('idevid')}", token),
            mint(issuer, homes["file"], 1, f"file:{homes['file']}/idevid.key", None),
        ]
        first = {}
        with BenchPlatform(directory, issuer, 2, devices) as platform:
            url = f"https://localhost:{platform.port}"
            for home in homes.values():
                shutil.copy(platform.anchors, home / "platform.pem")
            memory = {kind: operational(directory, home, url) for kind, home in homes.items()}
            for kind, home in homes.items():
                first[kind] = first_packets(directory / f"starts-{kind}", home, 3 if quick else 15)
    rows = [
        goal_row("resident, operational, key in a token", memory["token"][0], "MB", GOAL_MEMORY),
        Row("resident, operational, key in a file", memory["file"][0], "MB"),
        goal_row(
            "first packet, key in a token", statistics.median(first["token"]), "s",
            GOAL_FIRST_PACKET,
        ),
        goal_row(
            "first packet, key in a file", statistics.median(first["file"]), "s", GOAL_FIRST_PACKET
        ),
        Row("start to operational, key in a token", memory["token"][1], "s"),
    ]  # fmt: skip
    report("agent", rows, {"first_packet_seconds": first, "messages": MESSAGES})


def goal_row(name: str, value: float, unit: str, goal: float) -> Row:
    return Row(name, value, unit, goal, value <= goal)


def make_token(directory: Path) -> str:
    """A SoftHSM2 token; its URI but for the key's label."""
    tokens = directory / "tokens"
    tokens.mkdir()
    configuration, pin = directory / "softhsm2.conf", directory / "pin"
    configuration.write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
    pin.write_text("1234\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "bench", "--so-pin", "5678",
         "--pin", "1234"], check=True, capture_output=True,
    )  # fmt: skip
    return f"token=bench;object={{}}?pin-source=file:{pin}"


def mint(
    issuer: BenchIssuer, home: Path, number: int, key_uri: str, token: str | None
) -> BenchDevice:
    """Write one identity directory; return what the registry needs to know."""
    home.mkdir()
    key = make_key(key_uri)
    serial = serial_of(number)
    minter = IdevIdMinter(issuer.certificate, issuer.key)
    idevid = minter.mint(key.public_key(), serial, MODEL, datetime.now(UTC))
    (home / "idevid.pem").write_bytes(pem_of(parse_certificate(idevid), issuer.certificate))
    place = "file:" if token is None else "pkcs11:" + token.replace(";object={}", "")
    (home / "device.toml").write_text(
        f'model = "{MODEL}"\nserial_number = "{serial}"\nidevid_key = "{key_uri}"\n'
        f'operational_keys = "{place}"\n[platform]\nname = "localhost"\n'
    )
    unused = ec.generate_private_key(ec.SECP256R1())
    leaf = parse_certificate(idevid)
    return BenchDevice(serial, key, unused, idevid, leaf, issuer.certificate, b"")


def operational(directory: Path, home: Path, url: str) -> tuple[float, float]:
    """Run the agent until messages flow; return MB resident, and seconds until then."""
    state = directory / f"state-{home.name}"
    began = time.monotonic()
    with agent(home, state, url) as process:
        while not is_operational(state):
            if process.poll() is not None or time.monotonic() - began > ARRIVE_SECONDS:
                raise RuntimeError((directory / f"{state.name}.log").read_text())
            time.sleep(0.02)
        took = time.monotonic() - began
        for number in range(MESSAGES):
            publish(state, number)
        time.sleep(SETTLE_SECONDS)
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        resident = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return resident / 1024, took


def is_operational(state: Path) -> bool:
    try:
        status = json.loads((state / "status.json").read_text())
    except (OSError, ValueError):
        return False
    return bool(status["state"] == "operational")


def publish(state: Path, number: int) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(state / "agent.sock"))
        line = json.dumps({"publish": {"channel": "bench", "payload": number}})
        door.sendall(line.encode() + b"\n")
        answer = door.makefile().readline()
    if json.loads(answer) != {"ok": True}:
        raise RuntimeError(answer)


def first_packets(states: Path, home: Path, runs: int) -> list[float]:
    """Seconds from exec to the connection, for fresh devices."""
    states.mkdir()
    times = []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        for number in range(runs):
            began = time.perf_counter()
            with agent(home, states / str(number), url):
                connection, _ = listening.accept()
                times.append(time.perf_counter() - began)
                connection.close()
    return times


@contextmanager
def agent(home: Path, state: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        sys.executable, "-m", "homeport", "agent", "run", "--identity", str(home),
        "--state", str(state), "--address", url,
    ]  # fmt: skip
    with state.with_name(f"{state.name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
