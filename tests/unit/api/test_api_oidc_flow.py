# SPDX-License-Identifier: Apache-2.0
"""The cookie of a sign-in that is on its way to the provider: only the platform can write one."""

import asyncio
import hmac
from datetime import timedelta

import pytest

from fakes.clock import TurnedClock
from fakes.people import NOW, PASSWORD
from fakes.people_site import PeopleSite, code_of, document
from homeport.api.server.oidc.flow import LIFETIME, Flow, Flows
from homeport.api.server.people import cookies
from unit.api.test_api_provider import FakeProvider, made, token


@pytest.fixture
def clock():
    return TurnedClock(NOW)


@pytest.fixture
def flows(clock):
    return Flows(b"secret", clock)


@pytest.fixture
def fake():
    return FakeProvider()


@pytest.fixture
def site(tmp_path, fake, clock):
    with asyncio.Runner() as runner:
        yield PeopleSite(tmp_path, runner, provider=made(fake, clock), clock=clock)


def test_a_flow_is_read_back_from_its_cookie(flows):
    for flow in (Flow.begin(), Flow.begin(session="a1"), Flow.begin(invitation="x-_1" * 25)):
        written = flows.write(flow)
        assert flows.read(written) == flow
        assert len(written) < cookies.VALUE_MAX


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        "x",
        "....",
        "a" * 43 + "....",
        "a" * 43 + "...1." + "0" * 64,
        "é.a.b.1." + "0" * 64,
    ],
)
def test_what_is_no_flow_is_none(flows, cookie):
    assert flows.read(cookie) is None


def test_nobody_else_writes_or_changes_one(flows, clock):
    flow = Flow.begin()
    assert flows.read(Flows(b"other", clock).write(flow)) is None
    seed, _, invitation, until, seal = flows.write(flow).split(".")
    for forged in (
        f"{seed}.a1.{invitation}.{until}.{seal}",
        f"{seed}..x.{until}.{seal}",
        f"{seed}..{invitation}.{int(until) + 1}.{seal}",
        f"{'a' * 43}..{invitation}.{until}.{seal}",
    ):
        assert flows.read(forged) is None


def test_the_seal_has_a_key_of_its_own(flows):
    said, _, seal = flows.write(Flow.begin()).rpartition(".")
    assert seal != hmac.digest(b"secret", said.encode(), "sha256").hex()


def test_a_flow_ends(flows, clock):
    written = flows.write(Flow.begin())
    clock.turn(LIFETIME - timedelta(seconds=1))
    assert flows.read(written) is not None
    clock.turn(timedelta(seconds=1))
    assert flows.read(written) is None


def come_back(browser, fake, flow, **claims):
    fake.token = token(fake, flow, **claims)
    return browser.ask("GET", f"/oidc/callback?state={flow.state}&code=x")


def test_a_thief_of_a_session_links_no_identity_by_a_flow_that_he_made_up(site, fake, clock):
    thief, eve = site.signed_in("eve"), site.people.eve
    assert code_of(thief.ask("POST", "/oidc/link", {})) == "sign-in-refused"
    session = next(iter(site.people.registry.rows.sessions.values()))
    for link in (session.id, eve.id):
        flow = Flow.begin(session=link)
        for cookie in (
            f"{flow.seed}.{link}.",
            f"{flow.seed}.{link}..9999999999.{'0' * 64}",
            Flows(b"his own", clock).write(flow),
        ):
            thief.cookies[cookies.PROVIDER] = cookie
            assert code_of(come_back(thief, fake, flow, sub="thief")) == "provider-unproven"
    assert not site.people.registry.rows.identities


def test_who_shows_the_password_links_in_that_very_session(site, fake):
    eve, elsewhere = site.signed_in("eve"), site.signed_in("eve")
    assert eve.ask("POST", "/oidc/link", {"present": PASSWORD}).status == 201
    flow = site.app.state.parts.sign_in.flows.read(eve.cookies[cookies.PROVIDER])
    elsewhere.cookies[cookies.PROVIDER] = eve.cookies[cookies.PROVIDER]
    assert code_of(come_back(elsewhere, fake, flow)) == "sign-in-needed"
    assert come_back(eve, fake, flow).status == 303
    assert [each["subject"] for each in listed(eve)] == ["42"]


def listed(browser):
    return document(browser.ask("GET", "/account/identities"))["items"]
