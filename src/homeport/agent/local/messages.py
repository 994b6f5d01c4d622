# SPDX-License-Identifier: Apache-2.0
"""What programs on the device and the agent say to each other (docs/operate/agent.md).

    {"publish": {"channel": "temperature", "payload": 21.5}}   -> {"ok": true}
    {"subscribe": "setpoint"}                                  -> {"ok": true}
    {"status": {}}                                             -> {"status": {...}}
    {"reset": {}}                                              -> {"ok": true}
    {"twin": {}}                                               -> {"twin": {...}}
    {"watch": {}}                                              -> {"twin": {...}}, and when set
    {"report": {"patch": {"firmware": "1.2"}, "applied": 7}}   -> {"ok": true}
    and unasked: {"message": {"channel": "setpoint", "payload": 20}}, {"lost": 3}

A payload is JSON (`payload`), text (`text`) or octets (`base64`). Answers come in the order of
the requests. Programs are not trusted: lines are short, members are known ones.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from homeport.agent.memory.diary import Status
from homeport.agent.memory.twin import Twin
from homeport.errors import HomeportError, MalformedError

LINE_MAX: Final = 262_144
"""Bytes of a line: a payload of PAYLOAD_MAX octets in base64 fits."""
PAYLOAD_MAX: Final = 131_072
"""Bytes of one message; telemetry takes hundreds, a picture belongs somewhere else."""
WAIT_DEFAULT: Final = 30.0
"""Seconds that a publication waits for a connection that is away."""

Channel = Annotated[str, Meta(min_length=1, max_length=520)]


class Publication(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message to the upstream; exactly one of the three payloads."""

    channel: Channel
    payload: Raw | UnsetType = UNSET
    text: str | UnsetType = UNSET
    base64: bytes | UnsetType = UNSET
    wait: Annotated[float, Meta(ge=0, le=300)] = WAIT_DEFAULT
    """How long to wait for the connection and the broker's acknowledgement, seconds."""

    def octets(self) -> bytes:
        """The payload as it travels; raise MalformedError."""
        given = [
            bytes(self.payload) if not isinstance(self.payload, UnsetType) else None,
            self.text.encode() if not isinstance(self.text, UnsetType) else None,
            self.base64 if not isinstance(self.base64, UnsetType) else None,
        ]
        found = [octets for octets in given if octets is not None]
        if len(found) != 1:
            raise MalformedError("exactly one of payload, text and base64")
        if len(found[0]) > PAYLOAD_MAX:
            raise MalformedError(f"a payload of {len(found[0])} bytes; {PAYLOAD_MAX} are allowed")
        return found[0]


class Report(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a program says of the device, or that it has taken settings into use, or both."""

    patch: dict[str, Any] = {}
    """A JSON merge patch (RFC 7396) of what was reported before."""
    applied: Annotated[int, Meta(ge=1)] | None = None
    """The version of the settings that is in use now."""


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """A question without particulars."""


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line from a program; exactly one member."""

    publish: Publication | None = None
    subscribe: Channel | None = None
    """A channel; `name/#` for all below it, `#` for all."""
    status: Nothing | None = None
    reset: Nothing | None = None
    twin: Nothing | None = None
    watch: Nothing | None = None
    """The twin now, and each time that something was set."""
    report: Report | None = None


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message from the upstream: `payload` if it is JSON, else `text`, else `base64`."""

    channel: str
    payload: Raw | UnsetType = UNSET
    text: str | UnsetType = UNSET
    base64: bytes | UnsetType = UNSET


class Shown(Struct, frozen=True, kw_only=True):
    """The device's twin, as programs see it."""

    version: int
    """Of the settings; 0: nobody has set anything yet."""
    context: dict[str, Any]
    """Name, location, attributes, as far as they are known."""
    desired: dict[str, Any]
    reported: dict[str, Any]
    applied: int
    """The version that a program has said to be in use; 0: none."""


class Fault(Struct, frozen=True, kw_only=True):
    """Why something was not done."""

    code: str
    title: str
    detail: str
    advice: str


class Reply(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line from the agent; exactly one member."""

    ok: bool = False
    error: Fault | None = None
    status: Status | None = None
    message: Message | None = None
    twin: Shown | None = None
    lost: int = 0
    """So many messages were dropped because this program reads too slowly."""


OK: Final = Reply(ok=True)

_encoder: Final = msgspec.json.Encoder()
_requests: Final = msgspec.json.Decoder(Request)
_replies: Final = msgspec.json.Decoder(Reply)


def encode(message: Struct) -> bytes:
    """Write one line."""
    return _encoder.encode(message) + b"\n"


def read_request(line: bytes) -> Request:
    """Read a program's line, or MalformedError."""
    try:
        request = _requests.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(str(error)[:200]) from None
    names = request.__struct_fields__
    if sum(getattr(request, name) is not None for name in names) != 1:
        raise MalformedError(f"exactly one of {', '.join(names)}")
    return request


def read_reply(line: bytes) -> Reply:
    """Read the agent's line, or MalformedError."""
    try:
        return _replies.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(str(error)[:200]) from None


def message_of(channel: str, octets: bytes) -> Message:
    """Make a message of octets that came: JSON if they are, else text, else base64."""
    try:
        msgspec.json.decode(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    else:
        if b"\n" not in octets and b"\r" not in octets:
            return Message(channel=channel, payload=Raw(octets))
        return Message(channel=channel, payload=Raw(_encoder.encode(msgspec.json.decode(octets))))
    try:
        return Message(channel=channel, text=octets.decode())
    except UnicodeDecodeError:
        return Message(channel=channel, base64=octets)


def shown(twin: Twin) -> Reply:
    """Show a program the twin."""
    return Reply(
        twin=Shown(
            version=twin.version,
            context=twin.context,
            desired=twin.desired,
            reported=twin.reported,
            applied=twin.applied,
        )
    )


def fault_of(error: HomeportError) -> Reply:
    """Tell a program what went wrong."""
    return Reply(
        error=Fault(code=error.code, title=error.title, detail=error.detail, advice=error.advice)
    )


def matches(pattern: str, channel: str) -> bool:
    """Whether a subscription takes a channel."""
    if pattern == "#":
        return True
    if pattern.endswith("/#"):
        return channel == pattern[:-2] or channel.startswith(pattern[:-1])
    return pattern == channel
