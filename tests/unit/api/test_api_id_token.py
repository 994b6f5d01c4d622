# SPDX-License-Identifier: Apache-2.0
"""ID tokens that hold, and all the ways in which they do not."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from fakes.people import NOW
from homeport.api.server.oidc.flow import Flow
from homeport.api.server.oidc.id_token import (
    Expected,
    check_id_token,
    names_unknown_key,
    read_keys,
)
from homeport.errors import Code, HomeportError

RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
EC384 = ECKey.generate_key("P-384", {"kid": "ec384"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa"})
KEYS = read_keys({"keys": [key.as_dict(private=False) for key in (RSA, EC, EC384)]})

EXPECTED = Expected(issuer="https://id.example", client_id="homeport", nonce="n-1", now=NOW)
AT = int(NOW.timestamp())
GOOD = {"iss": "https://id.example", "aud": "homeport", "sub": "42", "nonce": "n-1",
        "iat": AT, "exp": AT + 300}  # fmt: skip


def signed(claims=None, key=RSA, alg="RS256", **header):
    header = {"alg": alg, "kid": key.kid, **header}
    return jwt.encode(header, GOOD | (claims or {}), key, algorithms=[alg])


def without(*names):
    claims = {name: value for name, value in GOOD.items() if name not in names}
    return jwt.encode({"alg": "RS256", "kid": "rsa"}, claims, RSA)


def refusal(token, keys=KEYS):
    with pytest.raises(HomeportError) as caught:
        check_id_token(token, keys, EXPECTED)
    assert caught.value.code is Code.PROVIDER_UNPROVEN
    return caught.value.detail


@pytest.mark.parametrize(
    ("key", "alg"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256"), (EC384, "ES384")]
)
def test_a_good_token_tells_who_signed_in(key, alg):
    person = check_id_token(signed(key=key, alg=alg), KEYS, EXPECTED)
    assert (person.issuer, person.subject, person.suggested_name) == (
        "https://id.example",
        "42",
        None,
    )


def test_an_audience_of_several_names_us_as_the_one_it_was_made_for():
    said = {"aud": ["homeport", "other"], "azp": "homeport"}
    assert check_id_token(signed(said), KEYS, EXPECTED).subject == "42"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "https://id.example/"}, "iss"),
        ({"iss": "https://evil.example"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "other"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": "homeport-2"}, "aud"),
        ({"aud": ["homeport", "other"]}, "azp"),
        ({"azp": "other"}, "azp"),
        ({"nonce": "n-2"}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ["n-1"]}, "nonce"),
        ({"nonce": "n-1é"}, "nonce"),
        ({"exp": AT - 61}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 1e300}, "exp"),
        ({"iat": AT + 120}, "iat"),
        ({"sub": ""}, "sub"),
        ({"sub": 42}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"sub": "a\nb"}, "sub"),
        ({"sub": "é"}, "sub"),
    ],
)
def test_a_wrong_claim_is_refused_and_named(claims, why):
    assert why in refusal(signed(claims))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "nonce", "exp", "iat"])
def test_a_missing_claim_is_refused(name):
    assert name in refusal(without(name))


def test_clocks_may_be_a_minute_apart():
    for change in ({"exp": AT - 59}, {"iat": AT + 59}):
        assert check_id_token(signed(change), KEYS, EXPECTED).subject == "42"


@pytest.mark.parametrize("alg", ["HS256", "none", "RS512", "ES256", "XX"])
def test_the_sender_does_not_choose_the_algorithm(alg):
    head = encoded({"alg": alg, "kid": "rsa"})
    _, payload, signature = signed().split(".")
    public = RSA.as_pem(private=False)
    mac = hmac.digest(public, f"{head}.{payload}".encode(), "sha256")
    for wrong in (signature, "", base64.urlsafe_b64encode(mac).decode().rstrip("=")):
        assert "signature" in refusal(f"{head}.{payload}.{wrong}")


def test_another_key_under_the_same_name_is_refused():
    assert "signature" in refusal(signed(key=STRANGER))


def test_an_altered_token_is_refused():
    head, _, signature = signed().split(".")
    payload = encoded(GOOD | {"sub": "1"})
    assert "signature" in refusal(f"{head}.{payload}.{signature}")


def test_a_key_that_the_token_brings_along_is_not_used():
    assert "signature" in refusal(with_header(STRANGER, jwk=STRANGER.as_dict(private=False)))


def test_members_of_the_header_that_nobody_knows_are_passed_over():
    token = with_header(RSA, x5t="x", own="y" * 4000)
    assert check_id_token(token, KEYS, EXPECTED).subject == "42"


def test_a_critical_member_that_we_do_not_know_is_refused():
    assert "signature" in refusal(with_header(RSA, crit=["own"], own="y"))


def with_header(key, **more):
    parts = [encoded({"alg": "RS256", "kid": "rsa", **more}), encoded(GOOD)]
    value = key.private_key.sign(".".join(parts).encode(), PKCS1v15(), SHA256())
    return ".".join((*parts, base64.urlsafe_b64encode(value).decode().rstrip("=")))


def test_keys_that_may_not_sign_are_passed_over():
    weak = {"kty": "RSA", "e": "AQAB", "n": "w" * 170 + "w"}  # 1024 bits
    document = {
        "keys": [
            weak, 5, None, {"kty": "oct", "k": "c2VjcmV0"},
            OKPKey.generate_key("Ed25519").as_dict(private=False),
            {**RSA.as_dict(private=False), "use": "enc"}, EC.as_dict(private=False),
        ]
    }  # fmt: skip
    [key] = read_keys(document)
    assert key.kid == "ec"


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": "x"}])
def test_what_is_no_key_set_is_refused(document):
    with pytest.raises(HomeportError) as caught:
        read_keys(document)
    assert caught.value.code is Code.PROVIDER_UNPROVEN


def test_without_keys_nothing_holds():
    assert "signature" in refusal(signed(), [])


def test_a_new_key_of_the_provider_is_noticed():
    other = ECKey.generate_key("P-256", {"kid": "next"})
    assert names_unknown_key(signed(key=other, alg="ES256"), KEYS)
    assert not names_unknown_key(signed(), KEYS)


@given(st.text())
def test_any_text_is_refused(text):
    refusal(text)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_header_and_payload_is_refused(head, payload):
    parts = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (head, payload)]
    refusal(".".join((*parts, "AA")))


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"email": "Eve@Example.com", "email_verified": True}, "eve@example.com"),
        ({"email": "eve@example.com"}, None),
        ({"email": "eve@example.com", "email_verified": "true"}, None),
        ({"email": "eve@example.com", "email_verified": False, "preferred_username": "Eve"}, "eve"),
        ({"preferred_username": "root@platform.example"}, None),
        ({"preferred_username": 5}, None),
    ],
)
def test_an_address_is_suggested_only_if_the_provider_verified_it(claims, name):
    assert check_id_token(signed(claims), KEYS, EXPECTED).suggested_name == name


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


# --- the flow


def test_its_secrets_differ_from_each_other_and_from_any_other_flows():
    flow, other = Flow.begin(), Flow.begin()
    secrets = [
        each
        for one in (flow, other)
        for each in (one.seed, one.state, one.nonce, one.verifier, one.challenge)
    ]
    assert len(set(secrets)) == 10
    assert all(len(secret) == 43 for secret in secrets)


def test_the_challenge_is_that_of_rfc_7636():
    flow = Flow.begin()
    digest = hashlib.sha256(flow.verifier.encode()).digest()
    assert flow.challenge == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_a_token_is_good_until_its_end_and_a_minute():
    later = Expected(issuer="https://id.example", client_id="homeport", nonce="n-1",
                     now=NOW + timedelta(seconds=360))  # fmt: skip
    with pytest.raises(HomeportError):
        check_id_token(signed(), KEYS, later)
