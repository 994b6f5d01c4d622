# SPDX-License-Identifier: Apache-2.0
"""The messages and names of docs/protocols/mqtt.md, sections in brackets.

Topics are those of `domain.topics`; here is how a device spells its own, what stands in a state
message, and the log-in where TLS cannot speak for the device. Readers return a message or raise
MalformedError, nothing else; members that are not known are ignored, so that agents may say more.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Self

import msgspec
from msgspec import Meta, Struct

from homeport.domain.topics import Branch, Topic
from homeport.errors import MalformedError

STATE_MAX_BYTES: Final = 4096
"""Forty times what an agent says."""
LOGIN_TYP: Final = "homeport-mqtt+jws"
WEBSOCKET_PATH: Final = "/mqtt"
"""The path at which the broker speaks MQTT."""

Fingerprint = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]
"""SHA-256 of a certificate in lower-case hexadecimal."""
Seconds = Annotated[int, Meta(ge=0, le=2**40)]


class Online(Struct, frozen=True, kw_only=True, tag_field="state", tag="online"):
    """[3] The device is there. Its first one completes the enrolment."""

    credential: Fingerprint
    """The LDevID that it logged in with."""
    agent: Annotated[str, Meta(max_length=64)] = ""
    since: Seconds = 0
    """Unix time of the connection by the device's clock; for people."""


class Offline(Struct, frozen=True, kw_only=True, tag_field="state", tag="offline"):
    """[3] The device is not there: its last will, or its good-bye."""

    credential: Fingerprint


StateMessage = Online | Offline


class Login(Struct, frozen=True, kw_only=True):
    """[2.2] Payload of the JWS that a device sends as password through a WebSocket.

    The broker's room reads it (`broker/login.py`).
    """

    client_id: Annotated[str, Meta(min_length=1, max_length=512)]
    time: Seconds
    """Now, by the device's clock."""


_STATE: Final[msgspec.json.Decoder[StateMessage]] = msgspec.json.Decoder(StateMessage)


def encode(message: StateMessage | Login) -> bytes:
    """Write a message as JSON."""
    return msgspec.json.encode(message)


def read_state(payload: bytes) -> StateMessage:
    """Read a state message, or MalformedError."""
    if len(payload) > STATE_MAX_BYTES:
        raise MalformedError(f"state message of {len(payload)} bytes")
    try:
        return _STATE.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"state message: {error}"[:200]) from error


def login_url(host: str, path: str) -> str:
    """What a log-in names: the platform it is meant for. No port: those may be translated."""
    return f"wss://{host.lower()}{path}"


@dataclass(frozen=True, slots=True)
class DeviceTopics:
    """[1] The topics of one device, spelt from its prefix."""

    prefix: str
    """`hp/<tenant>/<device>`, as the enrolment's answer gives it."""

    @classmethod
    def parse(cls, prefix: str) -> Self:
        """Check a prefix that came from outside, or MalformedError."""
        Topic.parse(f"{prefix}/{Branch.STATE}")
        return cls(prefix)

    @property
    def state(self) -> str:
        """Where the device says whether it is there."""
        return f"{self.prefix}/{Branch.STATE}"

    @property
    def command(self) -> str:
        """Where the platform asks the device to do something."""
        return f"{self.prefix}/{Branch.COMMAND}"

    @property
    def result(self) -> str:
        """Where the device says what came of it."""
        return f"{self.prefix}/{Branch.RESULT}"

    @property
    def every_down(self) -> str:
        """The pattern of everything that the device is told."""
        return f"{self.prefix}/{Branch.DOWN}/#"

    def up(self, channel: str) -> str:
        """Where the device says something; MalformedError for a channel that cannot be."""
        return str(Topic.parse(f"{self.prefix}/{Branch.UP}/{channel}"))

    def down_channel(self, topic: str) -> str:
        """The channel of something that the device was told, or MalformedError."""
        found = Topic.parse(topic)
        if found.branch is not Branch.DOWN or not topic.startswith(f"{self.prefix}/"):
            raise MalformedError("not a topic of this device")
        return found.channel
