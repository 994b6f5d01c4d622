# SPDX-License-Identifier: Apache-2.0
"""JWS: what is signed comes back, and every other reading is refused."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import FileKey, SignatureAlgorithm
from homeport.keys.algorithms import SHA256
from homeport.pki import base64url, jws
from homeport.pki.certificates import spki_of

P256 = FileKey("p256", ec.generate_private_key(ec.SECP256R1()))
P384 = FileKey("p384", ec.generate_private_key(ec.SECP384R1()))
RSA = FileKey("rsa", rsa.generate_private_key(65537, 2048))
TYP = "example+jws"


def forge(
    header: dict[str, object] | bytes,
    payload: bytes = b"{}",
    signature: bytes = b"\0" * 64,
    more: dict[str, object] | None = None,
) -> bytes:
    """A flattened JWS with any header at all."""
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    outer = {
        "protected": base64url.encode(content).decode(),
        "payload": base64url.encode(payload).decode(),
        "signature": base64url.encode(signature).decode(),
    }
    return json.dumps(outer | (more or {})).encode()


def refusal(call, *arguments) -> Code:
    with pytest.raises(HomeportError) as caught:
        call(*arguments)
    return caught.value.code


@settings(max_examples=25)
@given(
    st.sampled_from([P256, P384, RSA]),
    st.binary(max_size=300),
    st.text(max_size=40),
    st.text(max_size=40),
    st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=6),
)
def test_what_is_signed_comes_back(key, payload, url, nonce, x5c):
    message = jws.parse(jws.sign(payload, key=key, typ=TYP, url=url, nonce=nonce, x5c=x5c))
    assert message.header == jws.JwsHeader(message.header.alg, TYP, url, nonce, tuple(x5c))
    assert jws.verify(message, key.public_key()) == payload


def test_header_has_only_what_was_given():
    outer = json.loads(jws.sign(b"x", key=P256, typ=TYP))
    assert json.loads(base64url.decode(outer["protected"])) == {"alg": "ES256", "typ": TYP}


def test_rfc_7515_appendix_a_3():
    """The ES256 example of the standard, made by somebody else; it has no typ, so one is added
    to the parsed form by hand and only the signature is compared."""
    key = ec.EllipticCurvePublicNumbers(
        int.from_bytes(base64url.decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"), "big"),
        int.from_bytes(base64url.decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"), "big"),
        ec.SECP256R1(),
    ).public_key()
    protected = "eyJhbGciOiJFUzI1NiJ9"
    payload = (
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
        "Ijp0cnVlfQ"
    )
    signature = (
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    message = jws.UnverifiedJws(
        protected, payload, signature,
        jws.JwsHeader(SignatureAlgorithm.ES256, TYP),
        base64url.decode(payload), base64url.decode(signature),
    )  # fmt: skip
    assert json.loads(jws.verify(message, key))["iss"] == "joe"


def test_hash_names_this_very_message():
    data = jws.sign(b"x", key=P256, typ=TYP)
    outer = json.loads(data)
    text = f"{outer['protected']}.{outer['payload']}.{outer['signature']}"
    assert jws.parse(data).hash() == hashlib.sha256(text.encode()).digest()
    assert jws.parse(jws.sign(b"x", key=P256, typ=TYP)).hash() != jws.parse(data).hash()


@pytest.mark.parametrize("name", ["none", "HS256", "ES512", "EdDSA", "es256", "", "ES256 "])
def test_other_algorithms_are_refused(name):
    assert refusal(jws.parse, forge({"alg": name, "typ": TYP})) is Code.ALGORITHM_REFUSED


def test_algorithm_follows_the_key():
    """RS256 with an EC key, and HS256 with the public key as the secret: the classic forgeries."""
    for name in ("RS256", "PS256", "ES384"):
        message = jws.parse(forge({"alg": name, "typ": TYP}))
        assert refusal(jws.verify, message, P256.public_key()) is Code.ALGORITHM_REFUSED
    message = jws.parse(forge({"alg": "ES256", "typ": TYP}))
    assert refusal(jws.verify, message, RSA.public_key()) is Code.ALGORITHM_REFUSED
    protected, payload = base64url.encode(b'{"alg":"HS256","typ":"x"}'), base64url.encode(b"{}")
    mac = hmac.digest(spki_of(P256.public_key()), protected + b"." + payload, "sha256")
    assert refusal(jws.parse, forge({"alg": "HS256", "typ": "x"}, signature=mac)) is (
        Code.ALGORITHM_REFUSED
    )


def test_rs256_of_an_rsa_key_is_accepted():
    header = b'{"alg":"RS256","typ":"x"}'
    signing_input = base64url.encode(header) + b"." + base64url.encode(b"data")
    signature = RSA.sign(signing_input, SignatureAlgorithm.RS256)
    message = jws.parse(forge(header, b"data", signature))
    assert jws.verify(message, RSA.public_key()) == b"data"


@pytest.mark.parametrize("part", ["protected", "payload", "signature"])
def test_every_part_is_protected(part):
    outer = json.loads(jws.sign(b'{"a":1}', key=P256, typ=TYP, nonce="n"))
    other = json.loads(jws.sign(b'{"a":2}', key=P256, typ=TYP, nonce="m"))
    message = jws.parse(json.dumps(outer | {part: other[part]}).encode())
    assert refusal(jws.verify, message, P256.public_key()) is Code.SIGNATURE_WRONG


def test_another_key():
    message = jws.parse(jws.sign(b"", key=P256, typ=TYP))
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert refusal(jws.verify, message, stranger) is Code.SIGNATURE_WRONG


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\0" * 64,
        b"\xff" * 64,
        b"\0" * 63,
        b"\0" * 65,
        b"\0" * 96,
    ],
)
def test_raw_signatures_of_wrong_length_or_value(signature):
    message = jws.parse(forge({"alg": "ES256", "typ": TYP}, signature=signature))
    assert refusal(jws.verify, message, P256.public_key()) is Code.SIGNATURE_WRONG


def test_der_signature_is_not_jose():
    signing_input = base64url.encode(b'{"alg":"ES256","typ":"x"}') + b"." + base64url.encode(b"")
    key = P256.crypto_key()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    der = key.sign(signing_input, ec.ECDSA(SHA256))
    message = jws.parse(forge(b'{"alg":"ES256","typ":"x"}', b"", der))
    assert refusal(jws.verify, message, P256.public_key()) is Code.SIGNATURE_WRONG


CERTIFICATE = base64.b64encode(b"certificate").decode()


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"alg": "ES256"},
        {"typ": TYP},
        {"alg": 1, "typ": TYP},
        {"alg": "ES256", "typ": TYP, "crit": ["exp"], "exp": 1},
        {"alg": "ES256", "typ": TYP, "crit": []},
        {"alg": "ES256", "typ": TYP, "crit": None},
        {"alg": "ES256", "typ": TYP, "x5c": []},
        {"alg": "ES256", "typ": TYP, "x5c": [CERTIFICATE] * 7},
        {"alg": "ES256", "typ": TYP, "x5c": CERTIFICATE},
        {"alg": "ES256", "typ": TYP, "x5c": ["not base64!"]},
        {"alg": "ES256", "typ": TYP, "x5c": [base64.b64encode(b"x" * 4097).decode()]},
        {"alg": "ES256", "typ": TYP, "nonce": 7},
        {"alg": "ES256", "typ": "t" * 3000},
        b"[]",
        b"",
        b'{"alg":"ES256"',
        b'{"alg":"ES256","typ":"\xff"}',
    ],
)
def test_malformed_headers(header):
    assert refusal(jws.parse, forge(header)) is Code.JWS_MALFORMED


def test_unknown_protected_members_are_ignored():
    message = jws.parse(forge({"alg": "ES256", "typ": TYP, "kid": "x", "jwk": {"kty": "oct"}}))
    assert message.header == jws.JwsHeader(SignatureAlgorithm.ES256, TYP)


@pytest.mark.parametrize(
    "more",
    [
        {"header": {"alg": "ES256"}},
        {"header": {}},
        {"signatures": []},
        {"other": 1},
        {"payload": None},
        {"payload": "e30="},
        {"payload": "e3+0"},
        {"payload": "e3 0"},
        {"payload": "e31"},
        {"payload": "e"},
        {"signature": "é"},
        {"protected": "\ud800"},
    ],
)
def test_malformed_outer_objects(more):
    assert refusal(jws.parse, forge({"alg": "ES256", "typ": TYP}, more=more)) is Code.JWS_MALFORMED


def test_too_large():
    assert refusal(jws.parse, b" " * 65_537) is Code.TOO_LARGE


@given(st.binary(max_size=300))
def test_any_bytes_are_malformed(data):
    with pytest.raises(MalformedError):
        jws.parse(data)


@given(st.binary(max_size=200))
def test_any_header_is_read_or_refused(header):
    with pytest.raises(HomeportError):
        jws.parse(forge(header))


@given(st.binary(max_size=100))
def test_base64url_round_trip(value):
    text = base64url.encode(value).decode()
    assert text == base64.urlsafe_b64encode(value).decode().rstrip("=")
    assert base64url.decode(text) == value


@given(st.text(alphabet="AQgw-_+/= \n!é0", max_size=12))
def test_base64url_has_one_form_only(text):
    try:
        value = base64url.decode(text)
    except MalformedError:
        return
    assert base64url.encode(value).decode() == text
