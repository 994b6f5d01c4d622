# SPDX-License-Identifier: Apache-2.0
"""The tokens of the auth callout: the broker's question read, our answer written. Pure.

NATS's JWTs (RFC 7519 with `alg: ed25519-nkey`):
https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_callout
and ADR-26. The question is signed by the server that asks and proves only that nobody changed it
on the way; who may ask is decided by who may publish to its subject: the server itself.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct, field

from homeport.broker.nkey import Role, SigningKey, verify
from homeport.domain.topics import Permissions
from homeport.errors import MalformedError
from homeport.pki import base64url

REQUEST_MAX_BYTES: Final = 128 * 1024
"""Four chains of four certificates of 4 kB, in PEM inside JSON inside base64, fit."""
REQUEST_AUDIENCE: Final = "nats-authorization-request"
FRESHNESS: Final = timedelta(minutes=5)
"""Difference allowed between the server's clock and ours."""
SUBSCRIPTIONS: Final = 64
"""Most that one device may have; each costs memory at the broker."""
DEVICE_MESSAGE_BYTES: Final = 256 * 1024
"""Largest message that a device may send."""
_ALGORITHM: Final = "ed25519-nkey"

_Name = Annotated[str, Meta(max_length=1024)]


class _Head(Struct):
    alg: str


class _ServerId(Struct):
    id: Annotated[str, Meta(max_length=64)]


class _Client(Struct):
    type: _Name = ""
    host: _Name = ""
    mqtt_id: Annotated[str, Meta(max_length=65535)] = ""
    id: Annotated[int, Meta(ge=0)] = 0


class _ConnectOptions(Struct):
    password: Annotated[str, Meta(max_length=65535)] | None = field(default=None, name="pass")


class _ClientTls(Struct):
    verified_chains: list[list[str]] = []


class _Question(Struct):
    server_id: _ServerId
    user_nkey: Annotated[str, Meta(max_length=64)]
    client_info: _Client
    connect_opts: _ConnectOptions | None = None
    client_tls: _ClientTls | None = None


class _Claims(Struct):
    iss: Annotated[str, Meta(max_length=64)]
    aud: str
    iat: Annotated[int, Meta(ge=0, le=2**40)]
    nats: _Question


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthRequest:
    """A connection that asks to come in."""

    server: str
    """Id of the NATS server that it is at."""
    connection: int
    """Its number there."""
    user: str
    """nkey that the server made for it; the answer must name it."""
    type: str
    """"mqtt" (also in a WebSocket), "nats", "websocket"."""
    host: str
    """Where it comes from."""
    mqtt_id: str
    """MQTT client id."""
    leaf: str | None
    """PEM of the client certificate that TLS verified; None through a WebSocket, where the broker
    asks for one too but does not pass it on."""
    password: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a connection is given."""

    account: str
    """NATS account that it lives in."""
    name: str
    """For the broker's log."""
    permissions: Permissions
    expires: datetime
    """The broker ends the connection then; whole seconds, rounded down."""


_HEADERS: Final = msgspec.json.Decoder(_Head)
_CLAIMS: Final = msgspec.json.Decoder(_Claims)


def read_request(token: bytes, now: datetime) -> AuthRequest:
    """Read and verify a question; MalformedError for anything else."""
    claims = _read_claims(token)
    if claims.aud != REQUEST_AUDIENCE or claims.iss != claims.nats.server_id.id:
        raise MalformedError("not a question of the server that it names")
    if abs(now.timestamp() - claims.iat) > FRESHNESS.total_seconds():
        raise MalformedError("the question is not of now; do both clocks agree?")
    question, client = claims.nats, claims.nats.client_info
    chains = question.client_tls.verified_chains if question.client_tls else []
    return AuthRequest(
        server=question.server_id.id,
        connection=client.id,
        user=question.user_nkey,
        type=client.type,
        host=client.host,
        mqtt_id=client.mqtt_id,
        leaf=chains[0][0] if chains and chains[0] else None,
        password=question.connect_opts.password if question.connect_opts else None,
    )


def _segment(members: Mapping[str, object]) -> str:
    return base64url.encode(msgspec.json.encode(members)).decode()


_HEADER: Final = _segment({"typ": "JWT", "alg": _ALGORITHM})


def write_admission(issuer: SigningKey, request: AuthRequest, grant: Grant, now: datetime) -> bytes:
    """Answer: yes, for MQTT only, with these permissions, until the end of the grant."""
    if not grant.permissions.publish or not grant.permissions.subscribe:
        message = "an empty list would allow everything"
        raise ValueError(message)
    claims = {
        "sub": request.user,
        "aud": grant.account,
        "name": grant.name,
        "exp": int(grant.expires.timestamp()),
        "nats": {
            "type": "user",
            "version": 2,
            "pub": {"allow": grant.permissions.publish},
            "sub": {"allow": grant.permissions.subscribe},
            "subs": SUBSCRIPTIONS,
            "data": -1,
            "payload": DEVICE_MESSAGE_BYTES,
            "allowed_connection_types": ["MQTT", "MQTT_WS"],
        },
    }
    return _answer(issuer, request, {"jwt": _sign(issuer, claims, now)}, now)


def write_denial(issuer: SigningKey, request: AuthRequest, reason: str, now: datetime) -> bytes:
    """Answer: no; the reason goes to the broker's log, not to the device."""
    return _answer(issuer, request, {"error": reason}, now)


def _answer(
    issuer: SigningKey, request: AuthRequest, verdict: dict[str, str], now: datetime
) -> bytes:
    nats = {"type": "authorization_response", "version": 2, **verdict}
    return _sign(issuer, {"sub": request.user, "aud": request.server, "nats": nats}, now).encode()


def _sign(issuer: SigningKey, claims: dict[str, object], now: datetime) -> str:
    standard = {"iss": issuer.public, "iat": int(now.timestamp()), "jti": secrets.token_hex(16)}
    signed = f"{_HEADER}.{_segment({**standard, **claims})}"
    return f"{signed}.{base64url.encode(issuer.sign(signed.encode())).decode()}"


def _read_claims(token: bytes) -> _Claims:
    if len(token) > REQUEST_MAX_BYTES:
        raise MalformedError(f"{len(token)} bytes")
    if not token.isascii():
        raise MalformedError("not a JWT")
    signed, _, signature = token.decode("ascii").rpartition(".")
    header, dot, payload = signed.partition(".")
    if not dot:
        raise MalformedError("not a JWT")
    try:
        algorithm = _HEADERS.decode(base64url.decode(header)).alg
        claims = _CLAIMS.decode(base64url.decode(payload))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(str(error)[:200]) from error
    if algorithm != _ALGORITHM:
        raise MalformedError("the algorithm is not ed25519-nkey")
    if not verify(claims.iss, Role.SERVER, signed.encode(), base64url.decode(signature)):
        raise MalformedError("the signature is wrong")
    return claims
