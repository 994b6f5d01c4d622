# SPDX-License-Identifier: Apache-2.0
"""nkeys and the callout's tokens: what is read, what is refused, what is written."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.broker import jwt
from homeport.broker.jwt import AuthRequest, Grant
from homeport.broker.nkey import Role, SigningKey, make_seed, verify
from homeport.domain.topics import Permissions
from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import Secret

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SERVER = SigningKey(make_seed(Role.SERVER))
ISSUER = SigningKey(make_seed(Role.ACCOUNT))
USER = SigningKey(make_seed(Role.USER)).public


def segment(value: object) -> str:
    octets = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    return {
        "iss": SERVER.public,
        "aud": "nats-authorization-request",
        "iat": int(NOW.timestamp()),
        "nats": {
            "server_id": {"id": SERVER.public, "name": "homeport"},
            "user_nkey": USER,
            "client_info": {"type": "mqtt", "mqtt_id": "device", "host": "192.0.2.7", "id": 9},
            "connect_opts": {"protocol": 0},
            "client_tls": {"verified_chains": [["leaf", "issuer"]]},
            "type": "authorization_request",
            "version": 2,
        },
    } | changes


def token(said: object, signer: SigningKey = SERVER, alg: str = "ed25519-nkey") -> bytes:
    signed = f"{segment({'typ': 'JWT', 'alg': alg})}.{segment(said)}"
    return f"{signed}.{segment(signer.sign(signed.encode()))}".encode()


def read_back(written: bytes) -> dict[str, Any]:
    signed, _, signature = written.decode().rpartition(".")
    value = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    assert verify(ISSUER.public, Role.ACCOUNT, signed.encode(), value)
    payload = signed.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return said


def test_a_question_is_read() -> None:
    assert jwt.read_request(token(claims()), NOW) == AuthRequest(
        server=SERVER.public,
        connection=9,
        user=USER,
        type="mqtt",
        host="192.0.2.7",
        mqtt_id="device",
        leaf="leaf",
        password=None,
    )


def test_a_question_without_tls_has_no_leaf() -> None:
    said = claims()
    without: list[Any] = [None, {}, {"verified_chains": []}, {"verified_chains": [[]]}]
    for chains in without:
        said["nats"]["client_tls"] = chains
        assert jwt.read_request(token(said), NOW).leaf is None


OTHER = SigningKey(make_seed(Role.SERVER))


@pytest.mark.parametrize(
    "question",
    [
        b"",
        b"..",
        b"a.b.c",
        b"\xff" * 100,
        b"x" * 200_000,
        token(claims(), OTHER),  # signed by another
        token(claims(iss=OTHER.public), OTHER),  # of a server that it does not name
        token(claims(iss=USER)),  # not a server's key
        token(claims(aud="other")),
        token(claims(), alg="none"),
        token(claims(), alg="HS256"),
        token(claims(iat=int(NOW.timestamp()) - 600)),
        token(claims(iat=int(NOW.timestamp()) + 600)),
        token(claims(nats={})),
        token([]),
        token(claims())[:-4],
    ],
)
def test_another_question_is_refused(question: bytes) -> None:
    with pytest.raises(MalformedError):
        jwt.read_request(question, NOW)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_question_or_malformed(octets: bytes) -> None:
    with pytest.raises(MalformedError):
        jwt.read_request(octets, NOW)


REQUEST = jwt.read_request(token(claims()), NOW)


def test_an_admission_permits_what_was_granted_until_it_ends() -> None:
    end = NOW + timedelta(days=1, microseconds=999_999)
    permissions = Permissions(publish=("a", "b.>"), subscribe=("c.>",))
    grant = Grant(account="HOMEPORT", name="device", permissions=permissions, expires=end)
    answer = read_back(jwt.write_admission(ISSUER, REQUEST, grant, NOW))
    assert (answer["sub"], answer["aud"]) == (USER, SERVER.public)
    user = read_back(answer["nats"]["jwt"].encode())
    assert user["exp"] <= end.timestamp()
    assert (user["sub"], user["aud"], user["iss"]) == (USER, "HOMEPORT", ISSUER.public)
    said = user["nats"]
    assert said["pub"] == {"allow": ["a", "b.>"]}
    assert said["sub"] == {"allow": ["c.>"]}
    assert said["allowed_connection_types"] == ["MQTT", "MQTT_WS"]
    assert "resp" not in said


def test_an_empty_permission_is_never_written() -> None:
    # For NATS an empty list means everything.
    for permissions in (Permissions((), ("a",)), Permissions(("a",), ())):
        grant = Grant(account="A", name="d", permissions=permissions, expires=NOW)
        with pytest.raises(ValueError, match="everything"):
            jwt.write_admission(ISSUER, REQUEST, grant, NOW)


def test_a_denial_says_why_and_permits_nothing() -> None:
    answer = read_back(jwt.write_denial(ISSUER, REQUEST, "credential-revoked", NOW))
    assert answer["nats"]["error"] == "credential-revoked"
    assert "jwt" not in answer["nats"]


def test_a_seed_is_a_key_or_a_wrong_setting() -> None:
    seed = make_seed(Role.USER)
    assert SigningKey(Secret(seed.reveal() + "\n")).public == SigningKey(seed).public
    assert SigningKey(seed).public.startswith("U")
    for wrong in ("", "SU", "x" * 58, seed.reveal()[:-1], "é"):
        with pytest.raises(HomeportError) as failed:
            SigningKey(Secret(wrong))
        assert failed.value.code is Code.SETTING_WRONG


def test_a_damaged_nkey_verifies_nothing() -> None:
    public = SERVER.public
    damaged = public[:10] + ("A" if public[10] != "A" else "B") + public[11:]
    for wrong in ("", damaged, public[:-1], public.lower()):
        with pytest.raises(MalformedError):
            verify(wrong, Role.SERVER, b"", b"")
    assert not verify(public, Role.SERVER, b"message", b"short")
