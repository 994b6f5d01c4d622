# SPDX-License-Identifier: Apache-2.0
"""A broker without a network: keeps the rules that the agent relies on, and breaks on demand."""

import asyncio
import json
from dataclasses import dataclass, field

from homeport.errors import Code, HomeportError
from homeport.pki.certificates import fingerprint, load_bundle
from homeport.protocols.mqtt.device import Handler, UplinkSettings
from homeport.protocols.mqtt.device.inbox import matches


@dataclass
class FakeBroker:
    """Who is connected, what was said, and who is not let in."""

    refused: set[str] = field(default_factory=set)
    """Fingerprints of certificates."""
    is_away: bool = False
    is_silent: bool = False
    """Who connects waits for ever."""
    is_full: bool = False
    """It can keep no further subscription of QoS 1."""
    held: set[str] = field(default_factory=set)
    """Client ids of devices in quarantine."""
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    retained: dict[str, bytes] = field(default_factory=dict)
    connected: list["FakeUplink"] = field(default_factory=list)
    attempts: list[UplinkSettings] = field(default_factory=list)

    def open_uplink(self, settings: UplinkSettings) -> "FakeUplink":
        """What the agent calls."""
        return FakeUplink(self, settings)

    def state_of(self, device: str) -> dict[str, object]:
        """The retained state message of a device."""
        found = [body for topic, body in self.retained.items() if topic.endswith(f"{device}/state")]
        state: dict[str, object] = json.loads(found[0]) if found else {}
        return state

    def cut(self) -> None:
        """Break every connection."""
        for uplink in list(self.connected):
            uplink.break_off("cut by the test")

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send to whoever is connected and wants it."""
        if retain:
            self.retained[topic] = payload
        for uplink in self.connected:
            uplink.hear(topic, payload)


class FakeUplink:
    """See `homeport.protocols.mqtt.device.uplink.Uplink`."""

    def __init__(self, broker: FakeBroker, settings: UplinkSettings) -> None:
        """Take the broker and what the agent wants."""
        self.settings = settings
        self._handlers: dict[str, Handler] = {}
        self._broker = broker
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def fingerprint(self) -> str:
        """Of the certificate it shows."""
        return fingerprint(load_bundle(self.settings.certificate)[0])

    async def connect(self) -> None:
        """Be let in, or not."""
        self._broker.attempts.append(self.settings)
        await asyncio.sleep(0)
        if self._broker.is_silent:
            await asyncio.get_running_loop().create_future()
        if self._broker.is_away:
            raise HomeportError(Code.UPSTREAM_UNREACHABLE, "the fake is away")
        if self.fingerprint in self._broker.refused:
            raise HomeportError(Code.UPSTREAM_REFUSED, "the fake says no")
        self._broker.connected.append(self)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Say something."""
        await asyncio.sleep(0)
        if self not in self._broker.connected:
            raise HomeportError(Code.UPSTREAM_UNREACHABLE, "not connected")
        self._broker.messages.append((topic, payload))
        if retain:
            self._broker.retained[topic] = payload

    async def subscribe(self, pattern: str, handler: Handler, *, qos: int = 1) -> None:
        """Hear what matches, first what is retained."""
        await asyncio.sleep(0)
        is_held = self.settings.client_id in self._broker.held and not pattern.endswith("/command")
        if is_held or (qos and self._broker.is_full):
            raise HomeportError(Code.UPSTREAM_REFUSED, f"subscription to {pattern}")
        self._handlers[pattern] = handler
        for topic, payload in list(self._broker.retained.items()):
            if matches(pattern, topic):
                handler(topic, payload)

    def hear(self, topic: str, payload: bytes) -> None:
        """Give a message to whoever asked for it."""
        for pattern, handler in list(self._handlers.items()):
            if matches(pattern, topic):
                handler(topic, payload)

    async def lost(self) -> str:
        """Wait for the end."""
        return await asyncio.shield(self._lost)

    async def disconnect(self) -> None:
        """Leave without the will."""
        if self in self._broker.connected:
            self._broker.connected.remove(self)

    def break_off(self, reason: str) -> None:
        """Break, so that the will is spoken."""
        self._broker.connected.remove(self)
        will = self.settings.will
        self._broker.retained[will.topic] = will.payload
        if not self._lost.done():
            self._lost.set_result(reason)
