# SPDX-License-Identifier: Apache-2.0
"""Fuzz targets for MQTT: what devices say, and what the broker asks on behalf of strangers.

Claims and log-ins are damaged *before* they are signed, else the signature would stop them first.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import nkeys
import pytest

from fuzz.mutate import fuzz
from homeport.broker import jwt
from homeport.broker.jwt import AuthRequest
from homeport.broker.login import shown_certificate
from homeport.broker.nkey import Role, SigningKey
from homeport.domain.context.twin import Twin
from homeport.domain.device import DeviceId
from homeport.domain.topics import Topic
from homeport.errors import MalformedError
from homeport.keys import Secret
from homeport.pki import base64url
from homeport.protocols.mqtt.commands import read_command, read_result
from homeport.protocols.mqtt.wire import read_desired, read_reported, read_state

CORPUS: Final = Path(__file__).parent / "corpus"
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
SERVER: Final = SigningKey(Secret(nkeys.encode_seed(bytes(32), int(Role.SERVER)).decode()))
"""A fixed key: the corpus names its public half."""
HEADER: Final = base64url.encode(b'{"typ":"JWT","alg":"ed25519-nkey"}')


def read_signed_claims(claims: bytes) -> object:
    signed = HEADER + b"." + base64url.encode(claims)
    return jwt.read_request(signed + b"." + base64url.encode(SERVER.sign(signed)), NOW)


def read_login(password: bytes) -> object:
    request = AuthRequest(
        server="N", connection=1, user="U", type="mqtt", host="h", mqtt_id="d", leaf=None,
        password=password.decode("latin-1"),
    )  # fmt: skip
    return shown_certificate(request, ["wss://platform.example/mqtt"], NOW)


TWIN: Final = Twin(device=DeviceId("a" * 16, "EX-1"), tenant="acme", version=7, changed_at=NOW)
"""What is read must also be taken, or be malformed."""


READERS: Final[dict[str, Callable[[bytes], object]]] = {
    "mqtt-state": read_state,
    "mqtt-desired": read_desired,
    "mqtt-reported": lambda octets: TWIN.after(read_reported(octets), NOW),
    "mqtt-command": read_command,
    "mqtt-result": read_result,
    "mqtt-subject": lambda octets: Topic.parse_subject(octets.decode("utf-8", "surrogateescape")),
    "mqtt-callout-claims": read_signed_claims,
}


@pytest.mark.parametrize("name", READERS)
def test_any_bytes_are_a_message_or_malformed(name: str) -> None:
    assert fuzz(READERS[name], CORPUS / name, allowed=(MalformedError,)) > 0


def test_any_token_is_a_question_or_malformed() -> None:
    fuzz(lambda token: jwt.read_request(token, NOW), CORPUS / "jws", allowed=(MalformedError,))


def test_any_password_is_a_log_in_or_refused() -> None:
    fuzz(read_login, CORPUS / "jws")
