# SPDX-License-Identifier: Apache-2.0
"""The messages of the native protocol: docs/protocols/native.md, sections in brackets.

Rules: requests are read strictly (what is left over is refused), answers may gain members that an
older device ignores; readers return a message or raise MalformedError, nothing else. Octets are
base64 (RFC 4648 section 4) in JSON; instants are whole seconds since 1970 UTC.
"""

from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from homeport.errors import MalformedError

VERSION: Final = 1

GREETING_PATH: Final = "/.well-known/homeport"
ENROL_PATH: Final = "/.well-known/homeport/enrol"
RENEW_PATH: Final = "/.well-known/homeport/renew"
REGISTER_PATH: Final = "/api/v1/registrations"
"""Where an installer takes what the device signed: the people's door, not the devices'."""

ENROL_TYP: Final = "homeport-enrol+jws"
RENEW_TYP: Final = "homeport-renew+jws"
REGISTER_TYP: Final = "homeport-register+jws"
ANSWER_TYP: Final = "homeport-answer+jws"
JWS_MEDIA_TYPE: Final = "application/jose+json"

REQUEST_MAX_BYTES: Final = 32 * 1024
"""A request with four certificates of 4 kB and an RSA-4096 PKCS#10 fits twice."""
ANSWER_MAX_BYTES: Final = 256 * 1024
"""What a device reads at most: 60 times a usual answer, and nothing to a small device's memory."""
WAIT_MAX_SECONDS: Final = 30
"""Longest long poll. NATs and proxies forget quiet connections after 60 s and more."""

Seconds = Annotated[int, Meta(ge=0, le=2**40)]
Wait = Annotated[int, Meta(ge=0, le=WAIT_MAX_SECONDS)]
Epoch = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Text = Annotated[str, Meta(min_length=1, max_length=255)]
# Python's `$` would let a line break follow; `\Z` is unknown to JSON Schema.
RequestId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{16,64}(?!\n)$")]
Nonce = Annotated[bytes, Meta(min_length=16, max_length=64)]
Octets = Annotated[bytes, Meta(min_length=1, max_length=8192)]


class Greeting(Struct, frozen=True, kw_only=True):
    """[2] Who this platform is, and a fresh nonce. Not signed: TLS speaks for it."""

    homeport: Annotated[int, Meta(ge=1)]
    """Version of the protocol."""
    name: Text
    url: Text
    """The platform's configured base URL."""
    enrol: Text
    """What an enrolment request must name in its protected header."""
    renew: Text
    nonce: Text
    """Goes into the protected header as it is; good for some minutes."""
    time: Seconds


class NetworkFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[3.2] How the device reached the platform; for people, never for decisions."""

    interface: Annotated[str, Meta(max_length=64)] = ""
    mac: Annotated[str, Meta(max_length=64)] = ""
    addresses: Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=16)] = ()
    source: Annotated[str, Meta(max_length=64)] = ""
    """Where the platform's address came from: "pinned", "dhcp4-143", "dns-sd", ..."""


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[3.2] What every request's payload begins with."""

    version: Annotated[int, Meta(ge=1, le=1)]
    request_id: RequestId
    """Chosen once per operational key, and sent again when an answer was lost: one enrolment."""
    device_nonce: Nonce
    """Fresh in every request; the answer is bound to it."""
    csr: Octets
    """PKCS#10, DER: the operational key with its proof of possession."""
    agent: Annotated[str, Meta(max_length=64)] = ""
    """Program and version."""
    epoch: Epoch = 0
    """The highest ownership epoch that the device has seen."""


class EnrolRequest(Request, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[3.2] The payload that the IDevID's key signs."""

    serial_number: Annotated[str, Meta(min_length=1, max_length=64)]
    model: Annotated[str, Meta(min_length=1, max_length=64)]
    wait: Wait = 0
    """How long the device will wait for a missing fact before the answer, seconds."""
    network: NetworkFacts = NetworkFacts()


class RenewRequest(Request, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[5] What the present LDevID's key signs: for itself (renew), or for a new one (rekey)."""


class RegisterRequest(Request, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[7] What a device signs for an installer who registers it; its answer is that of [4]."""

    serial_number: Annotated[str, Meta(min_length=1, max_length=64)]
    model: Annotated[str, Meta(min_length=1, max_length=64)]
    tenant: Text
    """Whose the device is to be: an installer can't hand it to another one."""
    dpp_key_hash: Annotated[bytes, Meta(min_length=32, max_length=32)]
    """SHA-256 of the label's DPP key (SubjectPublicKeyInfo) that this exchange was proven by."""
    pressed: bool
    """Whether somebody pressed the device's button for it."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """[4.1] Where messages go."""

    protocol: Text
    """`mqtt` (TLS on TCP) or `mqtt-websocket` (wss)."""
    host: Text
    port: Annotated[int, Meta(ge=1, le=65535)]
    path: str = ""
    """Of the WebSocket."""
    anchors: tuple[Octets, ...] = ()
    """Trust anchors for this endpoint, DER; none: the platform's own."""


class Answer(Struct, frozen=True, kw_only=True, tag_field="result"):
    """[4] What every answer's payload begins with. Signed by the platform's domain key."""

    version: Annotated[int, Meta(ge=1)]
    device_nonce: Nonce
    """Of the request."""
    request_hash: Annotated[bytes, Meta(min_length=32, max_length=32)]
    """SHA-256 of the request's `protected.payload.signature`."""
    time: Seconds
    """Now; a device without a clock takes it as a lower bound."""


class Enrolled(Answer, frozen=True, kw_only=True, tag="enrolled"):
    """[4.1] The device has an operational identity and knows where its messages go."""

    device: Text
    """Its id: MQTT client id, and a level of its topics."""
    tenant: Text
    upstream: Text
    epoch: Epoch
    certificate: Annotated[tuple[Octets, ...], Meta(min_length=1, max_length=6)]
    """LDevID and its chain without the root, DER."""
    renew_at: Seconds
    endpoints: Annotated[tuple[Endpoint, ...], Meta(min_length=1, max_length=8)]
    """In order of preference."""
    topics: Text
    """MQTT prefix, without a slash at the end."""
    anchors: Annotated[tuple[Octets, ...], Meta(min_length=1, max_length=16)]
    """Trust anchors for this platform from now on, DER: this is how they are rotated."""


class Parked(Answer, frozen=True, kw_only=True, tag="parked"):
    """[4.2] The platform knows the device; a fact is missing. Ask again."""

    missing: Text
    """`owner`, `upstream` or `decision`."""
    detail: str
    """For the device's log."""
    nonce: Text
    """For the next request, so that it needs no greeting."""
    wait: Wait
    """Longest `wait` the platform grants."""
    retry_after: Seconds
    """How long to rest between long polls, seconds."""


class Redirect(Answer, frozen=True, kw_only=True, tag="redirect"):
    """[4.3] The device belongs to another platform; it signs again for that one's URL."""

    url: Text
    voucher: Octets
    """Signed for this device; pins that platform's domain certificate."""


AnyAnswer = Enrolled | Parked | Redirect


class Problem(Struct, frozen=True, kw_only=True):
    """[4.4] A refusal: RFC 9457, with our code and advice as extension members."""

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    code: str = ""
    advice: str = ""
    retry_after: Seconds | None = None


Message = TypeVar("Message", bound=Struct)

_ENROL: Final = msgspec.json.Decoder(EnrolRequest)
_RENEW: Final = msgspec.json.Decoder(RenewRequest)
_REGISTER: Final = msgspec.json.Decoder(RegisterRequest)
_ANSWER: Final[msgspec.json.Decoder[AnyAnswer]] = msgspec.json.Decoder(AnyAnswer)
_GREETING: Final = msgspec.json.Decoder(Greeting)
_PROBLEM: Final = msgspec.json.Decoder(Problem)
_ENCODER: Final = msgspec.json.Encoder()


def encode(message: Struct) -> bytes:
    """Write a message as JSON."""
    return _ENCODER.encode(message)


def read_enrol_request(payload: bytes) -> EnrolRequest:
    """Read the payload of an enrolment request, or MalformedError."""
    return _read(_ENROL, payload)


def read_renew_request(payload: bytes) -> RenewRequest:
    """Read the payload of a renewal request, or MalformedError."""
    return _read(_RENEW, payload)


def read_register_request(payload: bytes) -> RegisterRequest:
    """Read the payload of a request to be registered, or MalformedError."""
    return _read(_REGISTER, payload)


def read_answer(payload: bytes) -> AnyAnswer:
    """Read the payload of an answer, or MalformedError."""
    return _read(_ANSWER, payload)


def read_greeting(body: bytes) -> Greeting:
    """Read the body of a greeting, or MalformedError."""
    return _read(_GREETING, body)


def read_problem(body: bytes) -> Problem:
    """Read a problem document, or MalformedError."""
    return _read(_PROBLEM, body)


def _read(decoder: "msgspec.json.Decoder[Message]", data: bytes) -> Message:
    if len(data) > ANSWER_MAX_BYTES:
        raise MalformedError(f"{len(data)} bytes")
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(str(error)[:200]) from error
