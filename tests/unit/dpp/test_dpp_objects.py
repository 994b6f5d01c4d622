# SPDX-License-Identifier: Apache-2.0
"""JSON objects, credentials, connectors, and the members of provisioning."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st

from fakes.dpp_sides import new_key, new_signer, with_connector
from fakes.dpp_talk import talk
from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import FileKey, Secret, SignatureAlgorithm
from homeport.protocols.dpp import (
    Akm,
    Challenge,
    ConfigurationObject,
    ConfigurationRequest,
    ConnectionStatus,
    Credential,
    Demand,
    Group,
    Network,
    ProvisioningAnswer,
    ProvisioningRequest,
    SeenNetwork,
    sign_connector,
    signing_key,
    verify_connector,
)
from homeport.protocols.dpp.configuration.members import from_base64url, to_base64url
from homeport.protocols.dpp.configuration.provisioning import MEMBER
from homeport.protocols.dpp.messages.authentication_response import ResponseKeys
from homeport.protocols.dpp.messages.configuration import (
    RequestSecret,
    ResponseSecret,
    StatusSecret,
)
from homeport.protocols.dpp.messages.sealed import Sealed
from homeport.protocols.dpp.points import write_point
from homeport.protocols.dpp.wire.attributes import Attribute

SIGNER = new_signer()
DEVICE = new_key().public_key()
PSK, PASSWORD = frozenset({Akm.PSK}), Secret("correct horse")
JWS = {"protected": "a", "payload": "b", "signature": "c"}
PRINTABLE = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(str.isprintable)


def wifi(cred: dict[str, object], **more: object) -> bytes:
    discovery = {"ssid": "HomeNet"}
    return json.dumps(
        {"wi-fi_tech": "infra", "discovery": discovery, "cred": cred, **more}
    ).encode()


def failure_of(octets: bytes) -> Code:
    with pytest.raises(HomeportError) as failure:
        ConfigurationObject.read(octets)
    return failure.value.code


@given(PRINTABLE, st.dictionaries(PRINTABLE, st.integers() | PRINTABLE, max_size=4))
def test_a_request_is_read_as_it_was_written(name, third_party):
    third_party = {key: third_party[key] for key in third_party if key not in {"name", "netRole"}}
    request = ConfigurationRequest(name=name, third_party=third_party)
    assert ConfigurationRequest.read(request.write()) == request


@given(
    st.binary(min_size=1, max_size=32),
    st.text("abcdefgh 12345", min_size=8, max_size=63),
    st.sets(st.sampled_from([Akm.PSK, Akm.SAE]), min_size=1),
)
def test_a_network_is_read_as_it_was_written(ssid, passphrase, akms):
    credential = Credential(akms=frozenset(akms), passphrase=Secret(passphrase))
    object_ = ConfigurationObject(network=Network(ssid=ssid, credential=credential))
    assert ConfigurationObject.read(object_.write()) == object_


TYPED = st.text("aÃ¶¶Â\x83öé新🏠", min_size=8, max_size=12).filter(str.isprintable)
"""Also text whose characters look like the octets of other text."""


@given(TYPED, TYPED)
@example("CafÃ©", "Ã¶123456789")
@example("Gäste", "Gäste-新網-🏠")
def test_what_people_typed_is_read_as_it_was_written(name, passphrase):
    credential = Credential(akms=frozenset({Akm.SAE}), passphrase=Secret(passphrase))
    ssid = name.encode()[:32]
    object_ = ConfigurationObject(network=Network(ssid=ssid, credential=credential))
    assert ConfigurationObject.read(object_.write()) == object_
    request = ConfigurationRequest(name=name)
    assert ConfigurationRequest.read(request.write()) == request


def nested(levels: int) -> dict[str, object]:
    """An object of so many levels."""
    return {"org.x": nested(levels - 1)} if levels > 1 else {}


@pytest.mark.parametrize(
    "third_party", [nested(11), {"org.x": nested(10)}, {str(number): 1 for number in range(500)}]
)
def test_what_others_would_not_read_is_not_written(third_party):
    """wpa_supplicant 2.10 closes the connection at it, without a word."""
    with pytest.raises(MalformedError) as failure:
        ConfigurationObject(third_party=third_party).write()
    assert failure.value.code is Code.TOO_LARGE


@pytest.mark.parametrize("third_party", [nested(10), {str(number): 1 for number in range(499)}])
def test_what_others_just_read_is_written(third_party):
    assert json.loads(ConfigurationObject(third_party=third_party).write()) == third_party


def test_no_secret_prints():
    """Not even where what holds it is printed, in a log or by a debugger."""
    secret = b"correct horse"
    for holder in (
        Attribute(1, secret),
        Sealed(secret, (secret,)),
        ResponseKeys(k2=secret, ke=secret),
        RequestSecret(bytes(16), secret),
        ResponseSecret(status=0, nonce=bytes(16), objects=(secret,)),
        StatusSecret(bytes(16), secret),
    ):
        assert "correct" not in repr(holder)
    it = talk()
    it.authenticate()
    assert str(it.ke) not in repr(it.responder._offered)


@given(st.binary())
def test_any_octets_are_an_object_or_refused(octets):
    for read in (ConfigurationObject.read, ConfigurationRequest.read, ConnectionStatus.read):
        with pytest.raises(MalformedError):
            read(octets)


@given(st.binary(max_size=100))
def test_base64url(octets):
    assert from_base64url(to_base64url(octets), 100, Code.DPP_MALFORMED) == octets


@pytest.mark.parametrize("text", ["a", "+/+/", "YQ==", "YR", "YWJj"])
def test_base64url_that_is_refused(text):
    with pytest.raises(MalformedError):
        from_base64url(text, 2, Code.DPP_MALFORMED)


@pytest.mark.parametrize(
    ("akm", "expected"),
    [
        ("psk", {Akm.PSK}),
        ("psk+sae", {Akm.PSK, Akm.SAE}),
        ("000FAC08", {Akm.SAE}),
        ("000fac02+000FAC06+000FAC08", {Akm.PSK, Akm.SAE}),
        ("sae+something-new", {Akm.SAE}),
    ],
)
def test_kinds_of_credentials(akm, expected):
    network = ConfigurationObject.read(wifi({"akm": akm, "pass": "correct horse"})).network
    assert network is not None
    assert network.credential.akms == expected


@pytest.mark.parametrize(
    "cred",
    [
        {},
        {"akm": "psk"},
        {"akm": "psk", "pass": "short"},
        {"akm": "psk", "pass": "x" * 64},
        {"akm": "psk", "pass": "correct\nhorse"},
        {"akm": "psk", "pass": 12345678},
        {"akm": "sae", "pass": "ö" * 32},
        {"akm": "psk", "psk_hex": "x" * 64},
        {"akm": "psk", "psk_hex": "ab" * 31},
        {"akm": "sae", "psk_hex": "ab" * 32},
        {"akm": "dpp"},
        {"akm": "dpp", "signedConnector": "a.b.c", "csign": {}},
        {"akm": "x" * 129},
    ],
)
def test_credentials_that_are_refused(cred):
    assert failure_of(wifi(cred)) is Code.DPP_MALFORMED


@pytest.mark.parametrize("akm", ["dot1x", "000FAC01", "something"])
def test_kinds_that_nobody_knows(akm):
    assert failure_of(wifi({"akm": akm})) is Code.DPP_INCOMPATIBLE


def test_a_key_instead_of_a_passphrase():
    read = ConfigurationObject.read(wifi({"akm": "psk", "psk_hex": "ab" * 32}))
    assert read.network is not None
    assert read.network.credential.psk == Secret("ab" * 32)
    assert ConfigurationObject.read(read.write()) == read


@pytest.mark.parametrize(
    "octets",
    [
        b"{}",
        b'{"foo":1}',
        b'{"wi-fi_tech":"infra","discovery":{"ssid":"x"},"foo":1}',
        b'{"wi-fi_tech":"infra","cred":{"akm":"psk","pass":"correct horse"}}',
        b'{"wi-fi_tech":"infra","discovery":{},"cred":{"akm":"psk","pass":"correct horse"}}',
        wifi({"akm": "psk", "pass": "correct horse"}, discovery={"ssid": "x" * 33}),
        wifi({"akm": "psk", "pass": "correct horse"}, discovery={"ssid64": "A" * 60}),
        wifi({"akm": "psk", "pass": "correct horse"}, discovery={"ssid": "\udc80"}),
        b'{"cred":{"akm":"psk"},"cred":{"akm":"psk"}}',
        b'{"a":NaN}',
        b'{"a":' + b"[" * 100_000,
        b'{"a":"\xff"}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"\\udc00":1}',
        b'{"a":' + b"[" * 17 + b"]" * 17 + b"}",
    ],
)
def test_objects_that_are_refused(octets):
    assert failure_of(octets) is Code.DPP_MALFORMED


def test_an_ssid_that_is_no_text():
    network = Network(ssid=b"\x00\xff", credential=Credential(akms=PSK, passphrase=PASSWORD))
    written = ConfigurationObject(network=network).write()
    assert b"ssid64" in written
    read = ConfigurationObject.read(written).network
    assert read is not None
    assert read.ssid == b"\x00\xff"
    for ssid in (b"", bytes(33)):
        with pytest.raises(MalformedError):
            ConfigurationObject(network=replace(network, ssid=ssid)).write()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r'"Gäste"', "Gäste"),
        (r'"G\u00e4ste"', "Gäste"),
        (r'"G\u00c3\u00a4ste"', "Gäste"),  # octet by octet, as wpa_supplicant writes it
        (r'"\u65b0\u7db2"', "新網"),
        (r'"\u00e6\u0096\u00b0"', "新"),
        (r'"\ud83c\udfe0"', "🏠"),
    ],
)
def test_what_people_typed_is_read_however_it_was_written(written, meant):
    discovery = f'"discovery":{{"ssid":{written}}}'
    text = f'{{"wi-fi_tech":"infra",{discovery},"cred":{{"akm":"sae","pass":{written}}}}}'
    network = ConfigurationObject.read(text.encode()).network
    assert network is not None
    assert network.ssid == meant.encode()
    assert network.credential.passphrase == Secret(meant)


def test_third_parties_do_not_replace_what_is_the_specifications():
    request = ConfigurationRequest(name="mine", third_party={"name": "theirs"})
    assert ConfigurationRequest.read(request.write()).name == "mine"


def test_a_connector():
    expiry = datetime(2027, 1, 1, tzinfo=UTC)
    connector = sign_connector(SIGNER, DEVICE, (Group("works", "ap"), Group()), expiry)
    read = verify_connector(connector.signed, signing_key(SIGNER))
    assert write_point(read.access_key) == write_point(DEVICE)
    assert (read.groups, read.expiry) == (connector.groups, expiry)
    with_one = with_connector(SIGNER, DEVICE)
    again = ConfigurationObject.read(with_one.write())
    assert again.write() == with_one.write()


def test_a_connector_of_another_key():
    connector = sign_connector(SIGNER, DEVICE)
    with pytest.raises(HomeportError) as failure:
        verify_connector(connector.signed, signing_key(new_signer()))
    assert failure.value.code is Code.CONNECTOR_UNPROVEN


def damaged(connector: str, part: int, value: str) -> str:
    parts = connector.split(".")
    parts[part] = value
    return ".".join(parts)


@pytest.mark.parametrize(
    ("part", "value", "code"),
    [
        (0, to_base64url(b'{"typ":"dppCon","kid":"a","alg":"ES256"}'), Code.CONNECTOR_UNPROVEN),
        (0, to_base64url(b'{"typ":"JWT","alg":"none"}'), Code.DPP_MALFORMED),
        (0, "*", Code.DPP_MALFORMED),
        (1, to_base64url(b"{}"), Code.CONNECTOR_UNPROVEN),
        (2, to_base64url(bytes(64)), Code.CONNECTOR_UNPROVEN),
        (2, "", Code.CONNECTOR_UNPROVEN),
        (2, "a.b", Code.DPP_MALFORMED),
    ],
)
def test_connectors_that_are_refused(part, value, code):
    connector = damaged(sign_connector(SIGNER, DEVICE).signed, part, value)
    with pytest.raises(HomeportError) as failure:
        verify_connector(connector, signing_key(SIGNER))
    assert failure.value.code is code


def signed(header: dict[str, object], body: dict[str, object]) -> str:
    """A connector of the right key, with other members in it."""
    parts = sign_connector(SIGNER, DEVICE).signed.split(".")[:2]
    octets = [from_base64url(part, 1_000, Code.DPP_MALFORMED) for part in parts]
    changed = [
        json.dumps({**json.loads(it), **more}).encode()
        for it, more in zip(octets, (header, body), strict=True)
    ]
    text = ".".join(to_base64url(each) for each in changed)
    signature = SIGNER.sign(text.encode(), SignatureAlgorithm.ES256)
    return f"{text}.{to_base64url(signature)}"


@pytest.mark.parametrize(
    ("header", "body", "code"),
    [
        ({"crit": ["b64"], "b64": False}, {}, Code.CONNECTOR_UNPROVEN),
        ({}, {"groups": []}, Code.DPP_MALFORMED),
        ({}, {"expiry": "0001-01-01T00:00:00+23:59"}, Code.DPP_MALFORMED),
        ({}, {"expiry": "9999-12-31T23:59:59-23:59"}, Code.DPP_MALFORMED),
        ({}, {"expiry": "2027-01-01T00:00:00"}, Code.DPP_MALFORMED),
    ],
)
def test_connectors_that_say_what_nobody_can_keep(header, body, code):
    with pytest.raises(HomeportError) as failure:
        verify_connector(signed(header, body), signing_key(SIGNER))
    assert failure.value.code is code


def test_an_expiry_is_read_in_utc():
    connector = verify_connector(
        signed({}, {"expiry": "2027-01-01T02:00:00+02:00"}), signing_key(SIGNER)
    )
    assert connector.expiry is not None
    assert connector.expiry.isoformat() == "2027-01-01T00:00:00+00:00"


def test_connectors_are_signed_on_p256():
    other = FileKey("file:/nowhere", ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(HomeportError) as failure:
        sign_connector(other, DEVICE)
    assert failure.value.code is Code.KEY_UNSUITABLE


def test_a_connector_without_its_key_is_no_credential():
    connector = sign_connector(SIGNER, DEVICE)
    with pytest.raises(HomeportError):
        Credential(akms=frozenset({Akm.DPP}), connector=connector)
    with pytest.raises(HomeportError):
        Credential(akms=frozenset())


def test_a_provisioning_request():
    request = ProvisioningRequest(
        serial_number="EX-000017",
        model="EX-100",
        agent="homeport/0.1.0",
        epoch=3,
        is_owned=True,
        is_pressed=True,
        demands=Demand.EITHER,
        networks=(
            SeenNetwork(ssid="Büro".encode(), signal=-40, security="psk+sae"),
            SeenNetwork(ssid=b"\xff", signal=0, security="open"),
        ),
        csr=b"0\x82",
        proof=JWS,
    )
    members = json.loads(json.dumps(request.write()))
    assert ProvisioningRequest.read(members) == request
    least = ProvisioningRequest(serial_number="a", model="b")
    assert ProvisioningRequest.read(least.write()) == least
    assert ProvisioningRequest.read({"com.example": 1}) is None
    later = {MEMBER: {**members[MEMBER], "something": "new"}}
    assert ProvisioningRequest.read(later) == request


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": True},
        {"serialNumber": ""},
        {"serialNumber": "x" * 65},
        {"serialNumber": "a\u202eb"},
        {"model": None},
        {"epoch": -1},
        {"epoch": 2**31},
        {"owned": "yes"},
        {"pressed": 1},
        {"demands": 1},
        {"demands": "x" * 65},
        {"networks": {}},
        {"networks": [{}]},
        {"pkcs10": "****"},
        {"pkcs10": "A" * 20_000},
        {"proof": {"payload": "a"}},
        {"proof": {**JWS, "header": "a"}},
        {"proof": {**JWS, "payload": 7}},
        {"proof": "a.b.c"},
    ],
)
def test_provisioning_requests_that_are_refused(change):
    member = {**ProvisioningRequest(serial_number="a", model="b").write()[MEMBER], **change}
    with pytest.raises(MalformedError):
        ProvisioningRequest.read({MEMBER: member})


def test_a_device_says_no_more_of_its_networks_than_fits():
    heard = SeenNetwork(ssid=b"a", signal=-300, security="psk")
    said = ProvisioningRequest(serial_number="a", model="b", networks=(heard,) * 13).write()
    read = ProvisioningRequest.read(said)
    assert read is not None
    assert read.networks == (replace(heard, signal=-128),) * 12


def test_a_provisioning_answer():
    for answer in (
        ProvisioningAnswer(bundle=JWS),
        ProvisioningAnswer(challenge=Challenge(nonce="n", tenant="acme", url="https://p")),
        ProvisioningAnswer(
            challenge=Challenge(nonce="n", tenant="acme", url="https://p", voucher=b"{}")
        ),
        ProvisioningAnswer(),
    ):
        assert ProvisioningAnswer.read(json.loads(json.dumps(answer.write()))) == answer
    assert ProvisioningAnswer.read({}) is None
    wrong: list[object] = [[], {"version": 1, "challenge": {}}, {"version": 1, "bundle": []}]
    for member in wrong:
        with pytest.raises(MalformedError):
            ProvisioningAnswer.read({MEMBER: member})


def test_a_bundle_has_a_limit():
    with pytest.raises(MalformedError) as failure:
        ProvisioningAnswer.read(
            {MEMBER: {"version": 1, "bundle": {**JWS, "payload": "b" * 40_000}}}
        )
    assert failure.value.code is Code.TOO_LARGE
