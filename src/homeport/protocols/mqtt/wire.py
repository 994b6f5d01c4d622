# SPDX-License-Identifier: Apache-2.0
"""The messages and names of docs/protocols/mqtt.md, sections in brackets.

Topics are those of `domain.topics`; here is how a device spells its own, what stands in a state
message and in the twin's, and the log-in where TLS cannot speak for the device. Readers return a
message or raise MalformedError, nothing else; members that are not known are ignored, so that
agents may say more.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Self, TypeVar

import msgspec
from msgspec import Meta, Struct

from homeport.domain.context.document import check_document, check_patch
from homeport.domain.context.twin import VERSION_MAX, Report
from homeport.domain.topics import DESIRED, REPORTED, Branch, Topic
from homeport.errors import MalformedError

STATE_MAX_BYTES: Final = 4096
"""Forty times what an agent says."""
DESIRED_MAX_BYTES: Final = 16 * 1024
"""Settings of 8 kB, attributes of 4, name and place."""
REPORTED_MAX_BYTES: Final = 16 * 1024
"""A document of 8 kB, written with blanks by somebody's library."""
LOGIN_TYP: Final = "homeport-mqtt+jws"
WEBSOCKET_PATH: Final = "/mqtt"
"""The path at which the broker speaks MQTT."""

Read = TypeVar("Read")

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


class Desired(Struct, frozen=True, kw_only=True):
    """[7.1] What a device is told: all of it, each time."""

    version: Annotated[int, Meta(ge=1, le=VERSION_MAX)]
    context: dict[str, Any] = {}
    """Name, location, attributes."""
    desired: dict[str, Any] = {}
    """Settings."""


class Reported(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """[7.2] What a device says of itself: all of it, or what has changed since."""

    series: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}(?!\n)$")]
    counter: Annotated[int, Meta(ge=1, le=VERSION_MAX)]
    document: dict[str, Any] | None = None
    patch: dict[str, Any] | None = None
    applied: Annotated[int, Meta(ge=0, le=VERSION_MAX)] | None = None


class Login(Struct, frozen=True, kw_only=True):
    """[2.2] Payload of the JWS that a device sends as password through a WebSocket.

    The broker's room reads it (`broker/login.py`).
    """

    client_id: Annotated[str, Meta(min_length=1, max_length=512)]
    time: Seconds
    """Now, by the device's clock."""


_STATE: Final[msgspec.json.Decoder[StateMessage]] = msgspec.json.Decoder(StateMessage)
_DESIRED: Final = msgspec.json.Decoder(Desired)
_REPORTED: Final = msgspec.json.Decoder(Reported)


def encode(message: StateMessage | Desired | Reported | Login) -> bytes:
    """Write a message as JSON."""
    return msgspec.json.encode(message)


def read_state(payload: bytes) -> StateMessage:
    """Read a state message, or MalformedError."""
    return _read(_STATE, payload, STATE_MAX_BYTES, "state message")


def read_desired(payload: bytes) -> Desired:
    """Read what a device is told, or MalformedError."""
    return _read(_DESIRED, payload, DESIRED_MAX_BYTES, "desired")


def read_reported(payload: bytes) -> Report:
    """Read what a device says of itself, or MalformedError."""
    said = _read(_REPORTED, payload, REPORTED_MAX_BYTES, "reported")
    if said.document is not None and said.patch is not None:
        raise MalformedError("reported: either a document or a patch")
    if said.document is not None:
        check_document(said.document, "reported")
    if said.patch is not None:
        check_patch(said.patch, "reported")
    return Report(
        series=said.series,
        counter=said.counter,
        document=said.document,
        patch=said.patch,
        applied=said.applied,
    )


def _read(decoder: msgspec.json.Decoder[Read], payload: bytes, limit: int, what: str) -> Read:
    if len(payload) > limit:
        raise MalformedError(f"{what} of {len(payload)} bytes")
    try:
        return decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"{what}: {error}"[:200]) from error


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

    @property
    def desired(self) -> str:
        """Where the device is told its context and settings."""
        return f"{self.prefix}/{Branch.TWIN}/{DESIRED}"

    @property
    def reported(self) -> str:
        """Where the device says what it has and does."""
        return f"{self.prefix}/{Branch.TWIN}/{REPORTED}"

    def up(self, channel: str) -> str:
        """Where the device says something; MalformedError for a channel that cannot be."""
        return str(Topic.parse(f"{self.prefix}/{Branch.UP}/{channel}"))

    def down_channel(self, topic: str) -> str:
        """The channel of something that the device was told, or MalformedError."""
        found = Topic.parse(topic)
        if found.branch is not Branch.DOWN or not topic.startswith(f"{self.prefix}/"):
            raise MalformedError("not a topic of this device")
        return found.channel
