# SPDX-License-Identifier: Apache-2.0
"""Signing in at an OpenID provider of other people's making, and what a forger gets."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from fakes.oidc_provider import changed, run_oidc_provider
from fakes.people import PASSWORD
from fakes.people_site import PeopleSite, code_of, document
from homeport.api.server.oidc.provider import Provider
from homeport.api.server.people import cookies
from homeport.clock import SystemClock
from homeport.domain.audit import Name
from homeport.provisioning.people.change_account import disable_account


@pytest.fixture(scope="module")
def id_provider():
    with run_oidc_provider() as provider:
        yield provider


@pytest.fixture
def make_site(id_provider, tmp_path):
    with asyncio.Runner() as runner:

        def make(client="homeport", **more):
            provider = Provider(id_provider.settings(client), SystemClock())
            return PeopleSite(tmp_path, runner, provider=provider, clock=SystemClock(), **more)

        yield make


@pytest.fixture
def site(make_site):
    return make_site()


def begin(browser, **said):
    answer = browser.ask("POST", "/oidc/begin", said)
    assert answer.status == 201, answer.body
    return document(answer)["address"]


def sign_in(site, id_provider, person, browser=None, **said):
    browser = browser or site.browser()
    back = id_provider.visit(begin(browser, **said), person)
    return browser, come_back(browser, back)


def come_back(browser, back):
    browser.page = None  # the provider's page sent it
    answer = browser.ask("GET", back)
    browser.page = "https://platform.test:8443"
    return answer


def who(browser):
    told = document(browser.ask("GET", "/session"))
    browser.csrf = told.get("csrf_token")
    return told.get("actor")


def invited(site, name, role="engineer"):
    eve = site.signed_in("eve")
    said = {"name": name, "role": role}
    return document(eve.ask("POST", "/tenants/acme/invitations", said))["code"]


@pytest.mark.parametrize("client", ["homeport", "posting", "public", "es256", "ps256"])
def test_who_is_invited_signs_in_and_is_known_from_then_on(make_site, id_provider, client):
    site = make_site(client)
    code = invited(site, "zoe")
    browser, answer = sign_in(site, id_provider, "zoe-at-work", invitation=code)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert cookies.PROVIDER not in browser.cookies
    assert document(browser.ask("GET", "/session"))["roles"] == {"acme": "engineer"}
    again, answer = sign_in(site, id_provider, "zoe-at-work")
    assert (answer.status, who(again)) == (303, "zoe")
    assert site.people.stories(Name.SESSION_STARTED)[-1].endswith("(provider)")


def test_the_offer_says_what_to_write_on_the_button(site):
    told = document(site.browser().ask("GET", "/oidc"))
    assert told == {"is_offered": True, "title": "Example ID"}


def test_a_stranger_whom_only_the_provider_knows_does_not_get_in(site, id_provider):
    browser, answer = sign_in(site, id_provider, "mallory")
    assert code_of(answer) == "person-unknown"
    assert cookies.SESSION not in browser.cookies
    assert len(site.people.told(Name.SESSION_REFUSED)) == 1


def test_an_address_that_looks_the_same_links_nobody(site, id_provider):
    # The provider says that this is eve@example.com, verified; here eve@example.com has an account.
    site.people.account("eve@example.com")
    _, answer = sign_in(site, id_provider, "eve")
    assert code_of(answer) == "person-unknown"
    assert site.people.registry.rows.identities == {}


def test_where_everybody_may_found_a_tenant_a_stranger_gets_an_account_of_his_own(
    make_site, id_provider
):
    site = make_site(may_found_tenants=True)
    site.people.account("taken@example.com")
    browser, _ = sign_in(site, id_provider, "new")
    assert who(browser) == "new@example.com"
    assert browser.ask("POST", "/account/tenants", {"name": "mine"}).status == 201
    other, _ = sign_in(site, id_provider, "taken")
    assert who(other).startswith("person-")
    liar, _ = sign_in(site, id_provider, "liar")  # whose address is not verified
    assert who(liar) == "liar"


def test_a_person_links_the_provider_with_an_account_and_undoes_it(site, id_provider):
    eve = site.signed_in("eve")
    address = document(eve.ask("POST", "/oidc/link", {"present": PASSWORD}))["address"]
    assert come_back(eve, id_provider.visit(address, "eve-at-work")).status == 303
    browser, _ = sign_in(site, id_provider, "eve-at-work")
    assert who(browser) == "eve"
    [identity] = document(eve.ask("GET", "/account/identities"))["items"]
    assert identity["subject"] == "eve-at-work"
    assert eve.ask("DELETE", f"/account/identities/{identity['id']}").status == 204
    _, answer = sign_in(site, id_provider, "eve-at-work")
    assert code_of(answer) == "person-unknown"


def test_an_identity_of_one_is_not_linked_to_another(site, id_provider):
    for name, status in (("eve", 303), ("ann", 409)):
        browser = site.signed_in(name)
        address = document(browser.ask("POST", "/oidc/link", {"present": PASSWORD}))["address"]
        assert come_back(browser, id_provider.visit(address, "shared")).status == status


def test_nothing_is_linked_to_whoever_else_is_signed_in_meanwhile(site, id_provider):
    browser = site.signed_in("eve")
    address = document(browser.ask("POST", "/oidc/link", {"present": PASSWORD}))["address"]
    back = id_provider.visit(address, "eve-at-work")
    browser.sign_in("ann", PASSWORD)
    assert code_of(come_back(browser, back)) == "sign-in-needed"
    assert site.people.registry.rows.identities == {}


def test_who_is_disabled_does_not_get_in_by_the_provider_either(site, id_provider):
    code = invited(site, "zoe")
    sign_in(site, id_provider, "zoe-2", invitation=code)
    zoe = site.people.registry.rows.accounts
    [account] = [each for each in zoe.values() if each.name == "zoe"]
    site.people.do(lambda tx: disable_account(tx, account, actor="op", now=site.clock.now()))
    _, answer = sign_in(site, id_provider, "zoe-2")
    assert code_of(answer) == "sign-in-refused"


def test_an_invitation_is_used_once_here_too(site, id_provider):
    code = invited(site, "zoe")
    sign_in(site, id_provider, "first", invitation=code)
    _, answer = sign_in(site, id_provider, "second", invitation=code)
    assert code_of(answer) == "invitation-unknown"


# --- forgers


def test_another_state_is_refused(site, id_provider):
    browser = site.browser()
    back = id_provider.visit(begin(browser), "eve")
    for state in ("x", "", None, "é"):
        assert code_of(come_back(browser, changed(back, state=state))) == "provider-unproven"


def test_an_answer_for_another_browser_is_refused(site, id_provider):
    mine, victim = site.browser(), site.browser()
    back = id_provider.visit(begin(mine), "mallory")
    assert code_of(come_back(victim, back)) == "provider-unproven"  # has not begun at all
    begin(victim)
    assert code_of(come_back(victim, back)) == "provider-unproven"
    assert cookies.SESSION not in victim.cookies


def test_another_nonce_is_refused(site, id_provider):
    browser = site.browser()
    address = changed(begin(browser), nonce="of-another-sign-in")
    answer = come_back(browser, id_provider.visit(address, "eve"))
    assert (code_of(answer), document(answer)["detail"]) == (
        "provider-unproven", "nonce is not that of this sign-in",
    )  # fmt: skip


def test_a_code_for_another_verifier_is_refused(site, id_provider):
    browser = site.browser()
    address = changed(begin(browser), code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    answer = come_back(browser, id_provider.visit(address, "eve"))
    assert code_of(answer) == "provider-unproven"
    assert "invalid_grant" in document(answer)["detail"]


def test_a_code_for_another_client_is_refused(site, id_provider):
    browser = site.browser()
    address = changed(begin(browser), client_id="other")
    answer = come_back(browser, id_provider.visit(address, "eve"))
    assert "invalid_grant" in document(answer)["detail"]


def test_another_issuers_answer_is_refused(site, id_provider):
    browser = site.browser()
    back = id_provider.visit(begin(browser), "eve")
    assert "iss=" in back  # RFC 9207: this provider says it
    answer = come_back(browser, changed(back, iss="https://evil.example"))
    assert document(answer)["detail"] == "iss is another issuer"


def test_a_code_is_redeemed_once(site, id_provider):
    code = invited(site, "zoe")
    browser = site.browser()
    back = id_provider.visit(begin(browser, invitation=code), "zoe-3")
    kept = dict(browser.cookies)
    assert come_back(browser, back).status == 303
    browser.cookies = kept
    assert "invalid_grant" in document(come_back(browser, back))["detail"]


def test_who_does_not_consent_is_told_so(site):
    browser = site.browser()
    begin(browser)
    state = begin_state(browser)
    answer = come_back(browser, f"/oidc/callback?error=access_denied&state={state}")
    assert document(answer)["detail"] == "the provider said: access_denied"


def test_no_other_site_begins_a_sign_in(site):
    browser = site.browser()
    browser.page = "https://evil.example"
    assert code_of(browser.ask("POST", "/oidc/begin", {})) == "cross-site"


def begin_state(browser):
    return parse_qs(urlsplit(begin(browser)).query)["state"][0]
