# SPDX-License-Identifier: Apache-2.0
"""Which certificate a connection has shown: in TLS, or by a signed password in a WebSocket.

A WebSocket's TLS demands an operational certificate too, but NATS does not tell the callout which
(2.15: `client_tls` is missing there), so the device signs its log-in with the same key; see
docs/protocols/mqtt.md section 2.2. Here the signature is checked; whether the certificate counts
is the registry's business.
"""

import hashlib
import ssl
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from homeport.broker.jwt import AuthRequest
from homeport.errors import Code, HomeportError
from homeport.pki import jws
from homeport.pki.certificates import fingerprint, parse_certificate, public_key_of

LOGIN_TYP: Final = "homeport-mqtt+jws"
LOGIN_MAX_BYTES: Final = 16 * 1024
"""A certificate of 4 kB, twice in base64, and the rest."""
LOGIN_AGE: Final = timedelta(minutes=5)
"""A device's clock was set by a signed answer; TLS keeps what is overheard to ourselves."""


class _Login(Struct, frozen=True):
    client_id: Annotated[str, Meta(max_length=512)]
    time: Annotated[int, Meta(ge=0, le=2**40)]


_PAYLOAD: Final = msgspec.json.Decoder(_Login)


def shown_certificate(request: AuthRequest, urls: Collection[str], now: datetime) -> str:
    """Return the fingerprint of the certificate whose key the connection has used.

    `urls` are what a log-in through a WebSocket may name. HomeportError if none was shown.
    """
    if request.type != "mqtt":
        raise HomeportError(Code.CHAIN_UNTRUSTED, f"not MQTT but {request.type!r}")
    if request.leaf is not None:
        return _fingerprint(request.leaf)
    if not request.password:
        raise HomeportError(Code.CHAIN_UNTRUSTED, "no client certificate and no signed log-in")
    return _signed(request.password, request.mqtt_id, urls, now)


def _fingerprint(leaf: str) -> str:
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(leaf)).hexdigest()
    except ValueError as error:
        raise HomeportError(Code.CERTIFICATE_MALFORMED, "client certificate") from error


def _signed(password: str, client_id: str, urls: Collection[str], now: datetime) -> str:
    login = jws.parse(password.encode(), limit=LOGIN_MAX_BYTES)
    header = login.header
    if header.typ != LOGIN_TYP or not header.x5c:
        raise HomeportError(Code.SIGNATURE_WRONG, "not a log-in")
    if header.url not in urls:
        raise HomeportError(Code.URL_WRONG, f"log-in for {header.url!r}"[:200])
    certificate = parse_certificate(header.x5c[0])
    payload = jws.verify(login, public_key_of(certificate))
    try:
        said = _PAYLOAD.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise HomeportError(Code.JWS_MALFORMED, "log-in") from error
    if said.client_id != client_id:
        raise HomeportError(Code.CLIENT_ID_WRONG, "the log-in is for another client id")
    if abs(now.timestamp() - said.time) > LOGIN_AGE.total_seconds():
        raise HomeportError(
            Code.NONCE_WRONG, "the log-in is not of now; is the device's clock set?"
        )
    return fingerprint(certificate)
