# SPDX-License-Identifier: Apache-2.0
"""The log-in through a WebSocket: one key, one device, one platform, now."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from homeport.broker.jwt import AuthRequest
from homeport.broker.login import LOGIN_TYP, shown_certificate
from homeport.errors import Code, HomeportError
from homeport.keys import PrivateKey, make_key
from homeport.pki.authority import Issuer, build_leaf, build_root, ldevid_leaf
from homeport.pki.certificates import der_of, fingerprint
from homeport.pki.jws import sign
from homeport.protocols.mqtt import wire

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DEVICE = "abcdefghijklmnop-SN1"
URL = wire.login_url("Platform.Example", wire.WEBSOCKET_PATH)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[PrivateKey, PrivateKey]:
    return make_key(f"file:{tmp_path}/1.key"), make_key(f"file:{tmp_path}/2.key")


def leaf_of(key: PrivateKey) -> bytes:
    root = build_root(key, "test", NOW - timedelta(days=1), 1)
    leaf = ldevid_leaf(key.public_key(), DEVICE, "SN1", NOW, NOW + timedelta(days=1))
    return der_of(build_leaf(leaf, Issuer(root, key)))


def request(password: str | None, *, kind: str = "mqtt", leaf: str | None = None) -> AuthRequest:
    return AuthRequest(
        server="N",
        connection=1,
        user="U",
        type=kind,
        host="192.0.2.7",
        mqtt_id=DEVICE,
        leaf=leaf,
        password=password,
    )


def code_of(asked: AuthRequest) -> Code:
    with pytest.raises(HomeportError) as failed:
        shown_certificate(asked, [URL], NOW)
    return failed.value.code


def test_both_halves_agree_on_the_type() -> None:
    assert wire.LOGIN_TYP == LOGIN_TYP
    assert URL == "wss://platform.example/mqtt"


def test_a_signed_log_in_shows_its_certificate(keys: tuple[PrivateKey, PrivateKey]) -> None:
    leaf = leaf_of(keys[0])
    login = wire.encode(wire.Login(client_id=DEVICE, time=int(NOW.timestamp())))
    signed = sign(login, key=keys[0], typ=LOGIN_TYP, url=URL, x5c=[leaf]).decode()
    expected = fingerprint(x509.load_der_x509_certificate(leaf))
    assert shown_certificate(request(signed), [URL], NOW) == expected
    pem = ssl.DER_cert_to_PEM_cert(leaf)
    assert shown_certificate(request(None, leaf=pem), [], NOW) == expected


def test_every_other_log_in_is_refused(keys: tuple[PrivateKey, PrivateKey]) -> None:
    mine, thief = keys
    leaf = leaf_of(mine)

    def password(
        key: PrivateKey = mine,
        *,
        typ: str = LOGIN_TYP,
        url: str = URL,
        client_id: str = DEVICE,
        late: int = 0,
        x5c: list[bytes] | None = None,
    ) -> AuthRequest:
        login = wire.Login(client_id=client_id, time=int(NOW.timestamp()) + late)
        chain = [leaf] if x5c is None else x5c
        return request(sign(wire.encode(login), key=key, typ=typ, url=url, x5c=chain).decode())

    assert shown_certificate(password(), [URL], NOW)
    assert code_of(password(thief)) is Code.SIGNATURE_WRONG
    assert code_of(password(typ="homeport-enrol+jws")) is Code.SIGNATURE_WRONG
    assert code_of(password(x5c=[])) is Code.SIGNATURE_WRONG
    assert code_of(password(url="wss://other.example/mqtt")) is Code.URL_WRONG
    assert code_of(password(client_id="abcdefghijklmnop-SN2")) is Code.CLIENT_ID_WRONG
    assert code_of(password(late=301)) is Code.NONCE_WRONG
    assert code_of(password(late=-301)) is Code.NONCE_WRONG
    assert code_of(password(x5c=[b"\x30\x00"])) is Code.CERTIFICATE_MALFORMED
    assert code_of(request("{}")) is Code.JWS_MALFORMED
    assert code_of(request("x" * 20_000)) is Code.TOO_LARGE
    with pytest.raises(HomeportError):
        shown_certificate(password(), [], NOW)  # the platform has no WebSocket


def test_without_certificate_or_mqtt_nothing_is_shown() -> None:
    assert code_of(request(None)) is Code.CHAIN_UNTRUSTED
    assert code_of(request("", leaf=None)) is Code.CHAIN_UNTRUSTED
    assert code_of(request(None, leaf="not PEM")) is Code.CERTIFICATE_MALFORMED
    for kind in ("nats", "websocket", ""):
        assert code_of(request(None, kind=kind, leaf="x")) is Code.CHAIN_UNTRUSTED
