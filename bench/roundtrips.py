# SPDX-License-Identifier: Apache-2.0
"""`make bench NAME=roundtrips`: how often a device waits for the far end before it has arrived.

A site in network namespaces: DHCP and DNS are next door, the platform is behind a link of 100 ms
round-trip time. The clock starts with the agent's first packet (its address is there, its DHCP
request goes out) and ends when the broker stores its first message; nothing is subtracted. Where
the time goes is read from the cable.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench.report import Row, report
from fakes.network import LAN4, PLATFORM4, Link
from fakes.site import MODEL, PORT, TENANT, URL4, PluggedDevice, Site, Works, option143
from fakes.softhsm import make_token

ROUND_TRIP = 0.1
GOALS = {"file": 8.0, "token": 9.0}
MQTT_PORT = 8883
SNIFFER = Path(__file__).parent.parent / "tests" / "fakes" / "sniffer.py"
PHASES = {
    "dhcp": "DHCP: first packet to first SYN",
    "enrol": "enrolment: SYN to the signed answer (4 of them are the protocol's)",
    "between": "between the answer and the SYN to the broker",
    "mqtt": "MQTT: SYN to the message's arrival (3.5 are the protocols', 4.5 with a token)",
}


@dataclass(frozen=True)
class Journey:
    """One device from power-on to its first message, seconds."""

    started: float
    """From the start of the process to its first packet."""
    phases: dict[str, float]
    """Seconds of each of PHASES."""

    @property
    def seconds(self) -> float:
        return sum(self.phases.values())

    @property
    def round_trips(self) -> float:
        return self.seconds / ROUND_TRIP


@dataclass
class Cable:
    """What the gateway's end of one device's cable has seen."""

    packets: list[dict[str, Any]] = field(default_factory=list)

    def first(self, port: int, *, syn: bool = False) -> float:
        """When the device first sent something to this port."""
        return next(
            float(p["at"])
            for p in self.packets
            if p["ports"][1] == port and p["from"].startswith(LAN4) and (not syn or p.get("syn"))
        )

    def last_answer(self, port: int, before: float) -> float:
        """When the platform last sent bytes from this port."""
        return max(
            float(p["at"])
            for p in self.packets
            if p["ports"][0] == port and p["from"] == PLATFORM4 and p["payload"]
            and p["at"] < before
        )  # fmt: skip


def main(*, quick: bool) -> None:
    count = 6 if quick else 15
    with tempfile.TemporaryDirectory(prefix="homeport-bench-") as place:
        directory = Path(place)
        works = Works.make(directory / "works", sold=count, unsold=1)
        kinds = {"file": MODEL, "token": f"{MODEL}-T"}
        token = make_token()
        store = f"module-path={token.module}&pin-source=file:{token.pin_file}"
        uri = f"pkcs11:token={token.label}?{store}"
        works.mint(kinds["token"], count, "--key", uri)
        hosts = tuple(f"device{number}" for number in range(2 * count))
        uplink = Link(timedelta(seconds=ROUND_TRIP / 2))
        with Site(works, directory, hosts, uplink=uplink) as site:
            site.lan.start_dnsmasq(option143(URL4), dhcp6=False)
            works.hand_over(site.platform.config)
            sales = directory / "token-sales.csv"
            sales.write_text(f"serial_number,tenant\nEX-T-000001..EX-T-999999,{TENANT}\n")
            site.platform.operate("sales", "import", sales)
            found = {
                kind: [travel(site, site.device(works.take(model))) for _ in range(count)]
                for kind, model in kinds.items()
            }
    report("roundtrips", list(rows(found)), details(found))


def travel(site: Site, device: PluggedDevice) -> Journey:
    """Power a device on, alone, and follow it until it has arrived."""
    # `Lan` numbers its ports as the hosts are, which end in their number here.
    port = f"lan{device.host.removeprefix('device')}"
    sniffer = site.lan.start_in("gateway", [sys.executable, str(SNIFFER), port])
    assert sniffer.stdout is not None
    assert sniffer.stdout.readline() == '"ready"\n'
    begun = time.time()
    device.power_on()
    site.platform.until(device.serial, "operational")
    presence = site.platform.look(device.serial).presence
    assert presence is not None
    device.power_off()
    sniffer.kill()
    cable = Cable([json.loads(line) for line in sniffer.stdout.read().splitlines()])
    arrived = presence.since.timestamp()
    asked, enrols, connects = cable.first(67), cable.first(PORT, syn=True), cable.first(MQTT_PORT)
    answered = cable.last_answer(PORT, connects)
    ends = (asked, enrols, answered, connects, arrived)
    phases = dict(zip(PHASES, (b - a for a, b in pairwise(ends)), strict=True))
    return Journey(asked - begun, phases)


def rows(found: dict[str, list[Journey]]) -> Iterator[Row]:
    for kind, journeys in found.items():
        median = statistics.median(each.round_trips for each in journeys)
        goal = GOALS[kind]
        yield Row(
            f"address to first message, key in a {kind}", median, "trips", goal, median <= goal
        )
        for phase, name in PHASES.items():
            share = statistics.median(each.phases[phase] for each in journeys)
            yield Row(f"  {name}", share / ROUND_TRIP, "trips")
        started = statistics.median(each.started for each in journeys)
        yield Row("  before it: from the process's start to its first packet", started, "s")
        whole = statistics.median(each.started + each.seconds for each in journeys)
        yield Row("  from the process's start to the first message", whole, "s")


def details(found: dict[str, list[Journey]]) -> dict[str, object]:
    return {
        "round_trip_seconds": ROUND_TRIP,
        "journeys": {kind: [asdict(each) for each in all_] for kind, all_ in found.items()},
    }


if __name__ == "__main__":
    main(quick="--quick" in sys.argv or os.environ.get("QUICK") == "1")
