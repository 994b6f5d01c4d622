# SPDX-License-Identifier: Apache-2.0
"""Arriving messages, given to whoever asked for them.

A persistent session delivers what waited before the device has said again what it wants to hear;
such messages are kept until a handler comes, up to a limit.
"""

from collections import deque
from typing import Final

from homeport.protocols.mqtt.device.uplink import Handler

EARLY_LIMIT: Final = 256
"""Messages without a handler that are kept; the oldest go first."""


class Inbox:
    """Handlers by topic filter (MQTT 3.1.1 section 4.7). Used in the event loop only."""

    def __init__(self) -> None:
        """Begin without handlers."""
        self._handlers: dict[str, Handler] = {}
        self._early: deque[tuple[str, bytes]] = deque(maxlen=EARLY_LIMIT)

    def add(self, pattern: str, handler: Handler) -> None:
        """Give what matches to the handler: what came early at once."""
        self._handlers[pattern] = handler
        waiting = list(self._early)
        self._early.clear()
        for topic, payload in waiting:
            self.put(topic, payload)

    def put(self, topic: str, payload: bytes) -> None:
        """Take a message that arrived."""
        wanted = [h for pattern, h in self._handlers.items() if matches(pattern, topic)]
        for handler in wanted:
            handler(topic, payload)
        if not wanted:
            self._early.append((topic, payload))


def matches(pattern: str, topic: str) -> bool:
    """Whether the topic filter matches the topic."""
    wanted, levels = pattern.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True  # also the parent level (section 4.7.1.2)
        if index >= len(levels) or level not in ("+", levels[index]):
            return len(levels) == index and wanted[index:] == ["#"]
    return len(wanted) == len(levels)
