# SPDX-License-Identifier: Apache-2.0
"""The vectors: exchanges recorded from wpa_supplicant 2.10, URIs, and the members of provisioning.

All that is sealed is sealed again and has to give the recorded frames, bit for bit, also those that
wpa_supplicant made.
"""

import base64
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from homeport.errors import Code, HomeportError
from homeport.protocols import dpp
from homeport.protocols.dpp.exchange.schedule import (
    Transcript,
    agree,
    first_key,
    initiator_tag,
    last_key,
    responder_tag,
    second_key,
)
from homeport.protocols.dpp.messages import authentication_request as one
from homeport.protocols.dpp.messages import authentication_response as two
from homeport.protocols.dpp.messages import configuration
from homeport.protocols.dpp.messages.authentication_confirm import AuthenticationConfirm
from homeport.protocols.dpp.messages.sealed import Sealed, read_action, read_sealed, seal
from homeport.protocols.dpp.wire.attributes import read_attributes, write_attributes
from homeport.protocols.dpp.wire.frames import (
    ActionFrame,
    GasRequest,
    GasResponse,
    read_frame,
    write_frame,
)
from homeport.protocols.dpp.wire.vocabulary import AttributeId

FOLDER = Path(__file__).parents[2] / "vectors" / "dpp"
EXCHANGES = sorted((FOLDER / "exchanges").glob("*.json"))
URIS = json.loads((FOLDER / "uris.json").read_text(encoding="utf-8"))
MEMBERS = json.loads((FOLDER / "members.json").read_text(encoding="utf-8"))


@pytest.fixture(params=EXCHANGES, ids=lambda path: path.stem)
def exchange(request) -> dict[str, Any]:
    vector: dict[str, Any] = json.loads(request.param.read_text(encoding="utf-8"))
    return vector


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int(text, 16), ec.SECP256R1())


def octets(exchange: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(exchange["derived"][name])


def transcript(exchange: dict[str, Any]) -> Transcript:
    initiator, responder = exchange["initiator"], exchange["responder"]
    return Transcript(
        initiator_nonce=octets(exchange, "initiator_nonce"),
        responder_nonce=octets(exchange, "responder_nonce"),
        initiator_key=private_key(initiator["protocol_key"]).public_key(),
        responder_key=private_key(responder["protocol_key"]).public_key(),
        bootstrapping_key=private_key(responder["bootstrapping_key"]).public_key(),
    )


def test_there_is_every_combination():
    stems = {path.stem for path in EXCHANGES}
    assert stems == {
        f"{role}-{party}-{kind}"
        for role in ("configurator", "enrollee")
        for party in ("initiator", "responder")
        for kind in ("psk", "dpp")
    }


def test_the_key_schedule(exchange):
    label = private_key(exchange["responder"]["bootstrapping_key"])
    assert dpp.read_uri(exchange["uri"]).key == label.public_key()
    protocol = private_key(exchange["initiator"]["protocol_key"])
    both = transcript(exchange)
    m, n = agree(protocol, both.bootstrapping_key), agree(protocol, both.responder_key)
    assert (m, n) == (octets(exchange, "m"), octets(exchange, "n"))
    assert m == agree(label, both.initiator_key)
    assert first_key(m) == octets(exchange, "k1")
    assert second_key(n) == octets(exchange, "k2")
    nonces = both.initiator_nonce + both.responder_nonce
    assert hmac.digest(nonces, m + n, "sha256") == octets(exchange, "bk")
    assert last_key(both, m, n) == octets(exchange, "ke")
    assert responder_tag(both) == octets(exchange, "responder_tag")
    assert initiator_tag(both) == octets(exchange, "initiator_tag")


KEYS = ("k1", "k2", "ke", "ke", "ke", "ke")


def test_what_is_sealed_gives_the_recorded_frames(exchange):
    for at, told in enumerate(exchange["frames"]):
        frame = read_frame(bytes.fromhex(told["frame"]))
        assert write_frame(frame).hex() == told["frame"]
        key, clear = octets(exchange, KEYS[at]), bytes.fromhex(exchange["clear"][at])
        body, bound = opened(frame)
        before = body[: read_attributes(body).found[-1].offset]
        again = before + write_attributes((AttributeId.WRAPPED_DATA, seal(key, clear, *bound)))
        assert again == body


def opened(frame: object) -> tuple[bytes, tuple[bytes, ...]]:
    """A frame's attributes, and what its seal is bound to."""
    match frame:
        case ActionFrame(type_, attributes):
            return attributes, read_action(frame, type_)[1].associated
        case GasRequest(_, query):
            return query, ()
        case GasResponse(_, query):
            return query, read_sealed(query)[1].associated
        case _:
            raise AssertionError(frame)


def test_the_messages_say_what_was_recorded(exchange):
    frames = [read_frame(bytes.fromhex(told["frame"])) for told in exchange["frames"]]
    k1, k2, ke = (octets(exchange, name) for name in ("k1", "k2", "ke"))
    roles = {"enrollee": dpp.Role.ENROLLEE, "configurator": dpp.Role.CONFIGURATOR}
    both = transcript(exchange)
    ask, answer, confirm, request, response, result = frames
    assert isinstance(ask, ActionFrame)
    assert isinstance(answer, ActionFrame)
    assert isinstance(confirm, ActionFrame)
    first = one.AuthenticationRequest.read(ask)
    secret = one.RequestSecret.read(first.sealed.open(k1))
    assert secret.nonce == both.initiator_nonce
    assert secret.capabilities == roles[exchange["initiator"]["role"]]
    second = two.AuthenticationResponse.read(answer)
    told = two.ResponseSecret.read(second.sealed.open(k2))
    assert (second.status, second.is_mutual, second.version) == (0, False, 2)
    assert told.responder_nonce == both.responder_nonce
    assert told.capabilities == roles[exchange["responder"]["role"]]
    assert isinstance(told.sealed_tag, Sealed)
    tag = told.sealed_tag.open(ke).required(AttributeId.RESPONDER_TAG)
    assert tag == octets(exchange, "responder_tag")
    third = AuthenticationConfirm.read(confirm)
    tag = third.sealed.open(ke).required(AttributeId.INITIATOR_TAG)
    assert tag == octets(exchange, "initiator_tag")
    assert isinstance(request, GasRequest)
    assert isinstance(response, GasResponse)
    assert isinstance(result, ActionFrame)
    asked = configuration.RequestSecret.read(request.query, ke)
    assert dpp.ConfigurationRequest.read(asked.attributes).network_role == "sta"
    given = configuration.ResponseSecret.read(response.query, ke)
    assert (given.nonce, given.status) == (asked.nonce, 0)
    objects = [dpp.ConfigurationObject.read(each) for each in given.objects]
    assert all(each.network and each.network.ssid == b"HomeNet" for each in objects)
    ended = configuration.ConfigurationResult.read(result, ke)
    assert (ended.status, ended.nonce) == (0, asked.nonce)


@pytest.mark.parametrize("vector", URIS["good"], ids=lambda vector: vector["name"])
def test_good_uris(vector):
    uri = dpp.read_uri(vector["uri"])
    told: dict[str, Any] = {
        "key_hash": uri.key_hash.hex(),
        "channels": [[each.operating_class, each.number] for each in uri.channels],
        "mac": uri.mac.hex() if uri.mac else None,
        "information": uri.information,
        "version": uri.version,
        "host": uri.host,
    }
    assert told == vector["expected"]


@pytest.mark.parametrize("vector", URIS["bad"], ids=lambda vector: vector["name"])
def test_bad_uris(vector):
    with pytest.raises(HomeportError) as failure:
        dpp.read_uri(vector["uri"])
    assert failure.value.code is Code.DPP_URI_MALFORMED


READERS = {"request": dpp.ProvisioningRequest.read, "answer": dpp.ProvisioningAnswer.read}


@pytest.mark.parametrize("vector", MEMBERS["good"], ids=lambda vector: vector["name"])
def test_good_members(vector):
    read = READERS[vector["kind"]](vector["members"])
    if isinstance(read, dpp.ProvisioningRequest):
        told = {
            "serial_number": read.serial_number,
            "model": read.model,
            "agent": read.agent,
            "epoch": read.epoch,
            "is_owned": read.is_owned,
            "is_pressed": read.is_pressed,
            "demands": read.demands,
            "networks": [
                {"ssid": each.ssid.hex(), "signal": each.signal, "security": each.security}
                for each in read.networks
            ],
            "csr": _base64(read.csr),
            "proof": read.proof,
        }
    else:
        assert read is not None
        challenge = read.challenge
        told = {
            "bundle": read.bundle,
            "challenge": challenge
            and {
                "nonce": challenge.nonce,
                "tenant": challenge.tenant,
                "url": challenge.url,
                "voucher": _base64(challenge.voucher),
            },
        }
    assert told == vector["expected"]


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


@pytest.mark.parametrize("vector", MEMBERS["bad"], ids=lambda vector: vector["name"])
def test_bad_members(vector):
    with pytest.raises(HomeportError) as failure:
        READERS[vector["kind"]](vector["members"])
    assert failure.value.code == vector["code"]
