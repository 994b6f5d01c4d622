# SPDX-License-Identifier: Apache-2.0
"""A program on a device: publishes a temperature, and keeps a set point. Needs nothing but Python.

    python3 thermometer.py [SOCKET]

The agent holds certificates, keys and the connection; programs speak lines of JSON through its
socket (docs/operate/agent.md). While the device is away from its upstream a message waits. The set
point comes as a message, or as the setting `setpoint` of the device's twin, which also awaits a
device that was away; what is in use is reported.
"""

import json
import math
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

SOCKET = "/run/homeport/agent.sock"
PERIOD = 5.0
"""Seconds between two readings."""


class Agent:
    """The agent's door."""

    def __init__(self, path: str) -> None:
        """Come in."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)

    def say(self, **request: Any) -> None:
        """Send one request; its answer comes in order."""
        self._socket.sendall(json.dumps(request).encode() + b"\n")

    def lines(self) -> Iterator[dict[str, Any]]:
        """Everything that the agent says."""
        for line in self._socket.makefile():
            yield json.loads(line)


class Thermometer:
    """A room with a heater, somewhat simplified."""

    def __init__(self, agent: Agent) -> None:
        """Begin at 20 degrees."""
        self._agent = agent
        self._target = 20.0
        self._began = time.monotonic()

    def measure(self) -> float:
        """Read the temperature, degrees Celsius."""
        return round(self._target + math.sin((time.monotonic() - self._began) / 10), 2)

    def publish_readings(self) -> None:
        """Publish for ever."""
        while True:
            reading = {"celsius": self.measure(), "time": int(time.time())}
            self._agent.say(publish={"channel": "temperature", "payload": reading})
            time.sleep(PERIOD)

    def take(self, celsius: object, version: int | None = None) -> None:
        """Keep to a set point from now on, and report that it is in use."""
        if not isinstance(celsius, int | float):
            print(f"no set point: {celsius!r}", file=sys.stderr)
            return
        self._target = float(celsius)
        print(f"the set point is {self._target} now", flush=True)
        applied = {} if version is None else {"applied": version}
        self._agent.say(report={"patch": {"setpoint": self._target}, **applied})

    def obey(self) -> None:
        """Take set points, and report what did not work."""
        self._agent.say(subscribe="setpoint")
        self._agent.say(watch={})
        for line in self._agent.lines():
            if "message" in line:
                # What is no JSON comes as text, or in base64.
                message = line["message"]
                self.take(message.get("payload", message.get("text")))
            elif "setpoint" in line.get("twin", {}).get("desired", {}):
                self.take(line["twin"]["desired"]["setpoint"], line["twin"]["version"])
            elif "error" in line:
                print(f"{line['error']['title']} {line['error']['advice']}", file=sys.stderr)


def main() -> None:
    """Publish and obey until Ctrl-C."""
    path = sys.argv[1] if len(sys.argv) > 1 else SOCKET
    try:
        thermometer = Thermometer(Agent(path))
    except OSError as error:
        sys.exit(f"No agent answers at {path}: {error.strerror}")
    print(f"a temperature every {PERIOD:.0f} s until Ctrl-C", file=sys.stderr)
    threading.Thread(target=thermometer.publish_readings, daemon=True).start()
    thermometer.obey()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
