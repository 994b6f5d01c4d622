# SPDX-License-Identifier: Apache-2.0
"""Commands and their results: docs/protocols/mqtt.md, section 5.

A command is a JWS by the platform's domain key, as an enrolment's answer is: whoever runs the
broker cannot make a device forget its owner. Readers return a message or raise MalformedError.
"""

from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from homeport.errors import MalformedError
from homeport.protocols.mqtt.wire import Fingerprint, Seconds

COMMAND_TYP: Final = "homeport-command+jws"
COMMAND_MAX_BYTES: Final = 32 * 1024
"""A domain certificate's chain takes 4."""
RESULT_MAX_BYTES: Final = 1024

CommandId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}(?!\n)$")]
Word = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,64}(?!\n)$")]


class Command(Struct, frozen=True, kw_only=True):
    """[5.1] Payload of the JWS: what the platform asks."""

    id: CommandId
    order: Word
    """`renew`, `rekey`, `reset`; what an agent does not know it refuses."""
    device: Annotated[str, Meta(min_length=1, max_length=512)]
    credential: Fingerprint
    """The LDevID with which the device is connected: the command counts for that one only."""
    expires: Seconds
    """Unix time from which on it is void."""


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """[5.2] What came of a command."""

    command: CommandId
    result: Annotated[str, Meta(pattern=r"^(obeyed|refused)(?!\n)$")]
    code: Word | None = None
    """Why it was refused: a code of the catalogue."""


Message = TypeVar("Message", Command, Result)

_COMMAND: Final[msgspec.json.Decoder[Command]] = msgspec.json.Decoder(Command)
_RESULT: Final[msgspec.json.Decoder[Result]] = msgspec.json.Decoder(Result)


def encode(message: Command | Result) -> bytes:
    """Write a message as JSON."""
    return msgspec.json.encode(message)


def read_command(payload: bytes) -> Command:
    """Read what a command's JWS holds, or MalformedError."""
    return _read(_COMMAND, payload, COMMAND_MAX_BYTES)


def read_result(payload: bytes) -> Result:
    """Read a result, or MalformedError."""
    return _read(_RESULT, payload, RESULT_MAX_BYTES)


def _read(decoder: msgspec.json.Decoder[Message], payload: bytes, limit: int) -> Message:
    if len(payload) > limit:
        raise MalformedError(f"a message of {len(payload)} bytes")
    try:
        return decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"command or result: {error}"[:200]) from error
