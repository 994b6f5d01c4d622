# SPDX-License-Identifier: Apache-2.0
"""A provider that is broken, hostile, or has changed its keys."""

import base64
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from fakes.clock import TurnedClock
from fakes.in_loop import in_loop
from fakes.people import NOW
from homeport.api.server.oidc.flow import Flow
from homeport.api.server.oidc.provider import ANSWER_MAX, Provider, ProviderSettings
from homeport.errors import Code, HomeportError
from homeport.keys import Secret

ISSUER = "https://id.example/realm"


class FakeProvider(httpx.AsyncBaseTransport):
    """Answers what a test says, by path."""

    def __init__(self):
        self.keys = [ECKey.generate_key("P-256", {"kid": "1"})]
        self.asked = []
        self.metadata = {
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/realm/auth?tenant=1",
            "token_endpoint": "https://id.example/realm/token",
            "jwks_uri": "https://id.example/realm/keys",
        }
        self.token = None
        self.answers = {}

    async def handle_async_request(self, request):
        path = request.url.path.removeprefix("/realm")
        self.asked.append((path, await request.aread(), request.headers))
        if path in self.answers:
            status, content = self.answers[path]
            if isinstance(content, Exception):
                raise content
            return httpx.Response(status, content=content)
        said = {
            "/.well-known/openid-configuration": self.metadata,
            "/keys": {"keys": [key.as_dict(private=False) for key in self.keys]},
            "/token": {"id_token": self.token, "access_token": "x", "token_type": "Bearer"},
        }[path]
        return httpx.Response(200, json=said)


@pytest.fixture
def fake():
    return FakeProvider()


@pytest.fixture
def clock():
    return TurnedClock(NOW)


@pytest.fixture
def flow():
    return Flow.begin()


@pytest.fixture
def provider(fake, clock):
    return made(fake, clock)


def made(fake, clock, **changes):
    settings: dict[str, Any] = {
        "issuer": ISSUER, "client_id": "home port", "client_secret": Secret("s:/ %"),
        "callback": "https://platform.test/api/v1/oidc/callback", "title": "ID",
    }  # fmt: skip
    return Provider(ProviderSettings(**settings | changes), clock, transport=fake)


def token(fake, flow, key=None, **changes):
    at = int(NOW.timestamp())
    claims = {"iss": ISSUER, "aud": "home port", "sub": "42", "nonce": flow.nonce,
              "iat": at, "exp": at + 86400}  # fmt: skip
    key = key or fake.keys[0]
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims | changes, key)


async def refusal(provider, flow, code=Code.PROVIDER_UNPROVEN):
    with pytest.raises(HomeportError) as caught:
        await provider.redeem("code", flow)
    assert caught.value.code is code, caught.value
    return caught.value.detail


@in_loop
async def test_the_browser_is_sent_out_with_what_binds_the_answer(provider, flow):
    address = httpx.URL(await provider.address(flow))
    asked = dict(address.params)
    assert asked.pop("tenant") == "1"
    assert asked == {
        "response_type": "code", "client_id": "home port", "state": flow.state,
        "redirect_uri": "https://platform.test/api/v1/oidc/callback", "nonce": flow.nonce,
        "scope": "openid profile email", "code_challenge": flow.challenge,
        "code_challenge_method": "S256",
    }  # fmt: skip
    assert flow.verifier not in str(address)


@in_loop
async def test_a_code_is_redeemed_with_secret_and_verifier(fake, provider, flow):
    fake.token = token(fake, flow)
    assert (await provider.redeem("the code", flow)).subject == "42"
    _, body, headers = fake.asked[-1]
    form = dict(httpx.QueryParams(body.decode()))
    assert (form["code"], form["code_verifier"]) == ("the code", flow.verifier)
    assert "client_secret" not in form
    shown = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
    assert shown == "home%20port:s%3A%2F%20%25"  # RFC 6749 section 2.3.1


@in_loop
async def test_metadata_and_keys_are_asked_for_once_an_hour(fake, clock, provider, flow):
    fake.token = token(fake, flow)
    for _ in range(3):
        await provider.redeem("code", flow)
    assert [path for path, *_ in fake.asked].count("/keys") == 1
    clock.turn(timedelta(hours=1))
    await provider.redeem("code", flow)
    assert [path for path, *_ in fake.asked].count("/keys") == 2


@in_loop
async def test_a_new_key_is_fetched_but_not_for_every_forged_token(fake, clock, provider, flow):
    await provider.address(flow)
    fake.keys = [ECKey.generate_key("P-256", {"kid": "2"})]
    fake.token = token(fake, flow)
    await refusal(provider, flow)
    clock.turn(timedelta(minutes=1))
    assert (await provider.redeem("code", flow)).subject == "42"
    asked = len(fake.asked)
    fake.token = token(fake, flow, ECKey.generate_key("P-256", {"kid": "forged"}))
    for _ in range(5):
        await refusal(provider, flow)
    assert len(fake.asked) == asked + 5


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"issuer": ISSUER + "/"}, "another issuer"),
        ({"issuer": None}, "another issuer"),
        ({"token_endpoint": "http://id.example/token"}, "not https"),
        ({"token_endpoint": "http://127.0.0.1.evil.example/token"}, "not https"),
        ({"token_endpoint": "file:///etc/passwd"}, "not https"),
        ({"jwks_uri": None}, "no jwks_uri"),
        ({"jwks_uri": "https://["}, "not https"),
        ({"authorization_endpoint": 5}, "no authorization_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "not https"),
    ],
)
@in_loop
async def test_metadata_that_leads_elsewhere_is_refused(fake, provider, flow, change, why):
    fake.metadata |= change
    assert why in await refusal(provider, flow)


@pytest.mark.parametrize(
    ("path", "status", "content", "code"),
    [
        ("/token", 500, b"{}", Code.PROVIDER_UNREACHABLE),
        ("/token", 400, b'{"error": "invalid_grant"}', Code.PROVIDER_UNPROVEN),
        ("/token", 200, b"<html>", Code.PROVIDER_UNPROVEN),
        ("/token", 200, b"[]", Code.PROVIDER_UNPROVEN),
        ("/token", 200, b"[" * 100_000, Code.PROVIDER_UNPROVEN),
        ("/token", 200, b'{"id_token": 5}', Code.PROVIDER_UNPROVEN),
        ("/token", 302, b"", Code.PROVIDER_UNPROVEN),
        ("/token", 200, b" " * (ANSWER_MAX + 1), Code.PROVIDER_UNPROVEN),
        ("/keys", 200, b"{}", Code.PROVIDER_UNPROVEN),
        ("/keys", 404, b"", Code.PROVIDER_UNPROVEN),
        ("/.well-known/openid-configuration", 404, b"", Code.PROVIDER_UNPROVEN),
        ("/token", 0, httpx.ReadTimeout(""), Code.PROVIDER_UNREACHABLE),
        ("/keys", 0, httpx.ConnectError("refused"), Code.PROVIDER_UNREACHABLE),
    ],
)
@in_loop
async def test_answers_that_are_none(fake, provider, path, status, content, code):
    flow = Flow.begin()
    fake.answers[path] = (status, content)
    await refusal(provider, flow, code)


@in_loop
async def test_the_secret_is_in_no_refusal(fake, provider, flow):
    fake.answers["/token"] = (400, json.dumps({"error": "s:/ %" * 99}).encode())
    detail = await refusal(provider, flow)
    assert len(detail) < 300
    assert flow.verifier not in detail


@pytest.mark.parametrize(
    "issuer", ["http://id.example", "id.example", "", "ftp://id.example", "https://"]
)
def test_a_provider_in_the_clear_is_a_wrong_setting(fake, clock, issuer):
    with pytest.raises(HomeportError) as caught:
        made(fake, clock, issuer=issuer)
    assert caught.value.code is Code.SETTING_WRONG


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:3000", "http://localhost", "http://[::1]:1"])
def test_on_this_machine_it_may_be(fake, clock, issuer):
    assert made(fake, clock, issuer=issuer).settings.issuer == issuer
