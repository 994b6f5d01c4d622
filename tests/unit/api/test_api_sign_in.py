# SPDX-License-Identifier: Apache-2.0
"""Signing in: cookies, forged requests, guesses, and who they slow down."""

import asyncio
from datetime import timedelta

import pytest

from fakes.browser import ORIGIN
from fakes.people import PASSWORD
from fakes.people_site import PeopleSite, code_of, document
from homeport.api.server.people import cookies, sign_in
from homeport.domain.audit import Name
from homeport.provisioning.people.change_account import disable_account

SESSION = cookies.SESSION


@pytest.fixture
def site(tmp_path):
    with asyncio.Runner() as runner:
        yield PeopleSite(tmp_path, runner)


def test_the_cookie_cannot_be_read_planted_or_sent_in_the_clear(site):
    browser = site.signed_in("eve")
    for name in (SESSION, cookies.BROWSER):
        flags = {part.strip().lower() for part in browser.given[name].split(";")[1:]}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= flags
        assert not any(flag.startswith("domain") for flag in flags)
        assert name.startswith("__Host-")
    assert "max-age" not in browser.given[SESSION].lower()


def test_who_is_signed_in_is_told_what_one_may(site):
    told = document(site.signed_in("ian").ask("GET", "/session"))
    assert told["actor"] == "ian"
    assert told["roles"] == {"acme": "installer", "bolt": "viewer"}
    assert told["is_operator"] is False
    assert told["scopes"] is None


def test_no_answer_to_a_sign_in_may_be_kept_by_anybody(site):
    answer = site.browser().sign_in("eve", PASSWORD)
    assert answer.headers["cache-control"] == "no-store"
    assert PASSWORD not in answer.body.decode()


def test_a_name_is_typed_in_any_case(site):
    assert site.browser().sign_in("EVE", PASSWORD).status == 201


@pytest.mark.parametrize("name", ["eve", "nobody", "op\u0435", "' OR 1=1 --", "eve\n", "\0"])
def test_wrong_and_unknown_get_the_same_answer(site, name):
    answer = site.browser().sign_in(name, "not the right words")
    assert (answer.status, code_of(answer)) == (401, "sign-in-refused")
    wrong = site.browser().sign_in("eve", "other wrong words")
    assert answer.body == wrong.body
    assert set(answer.headers) == set(wrong.headers)
    assert SESSION not in site.browser().cookies


def test_a_disabled_account_looks_like_a_wrong_password(site):
    site.people.do(
        lambda tx: disable_account(tx, site.people.eve, actor="op", now=site.clock.now())
    )
    right = site.browser().sign_in("eve", PASSWORD)
    assert right.body == site.browser().sign_in("eve", "not the right words").body


def test_the_same_work_is_done_whether_there_is_such_a_name_or_not(site, monkeypatch):
    hashes = []
    passwords = site.desk._passwords
    original = passwords._hasher.verify

    class Counting:
        def __getattr__(self, name):
            return getattr(original.__self__, name)

        def verify(self, *args):
            hashes.append(args)
            return original(*args)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    for name in ("eve", "nobody"):
        site.browser().sign_in(name, "not the right words")
    assert len(hashes) == 2
    told = site.people.told(Name.SESSION_REFUSED)
    assert [event.facts["account"] for event in told] == ["eve", "nobody known"]


def test_no_password_and_no_unknown_name_is_written_anywhere(site):
    site.browser().sign_in("my-secret-typed-as-name", "hunter2hunter2")
    site.browser().sign_in("eve", "hunter3hunter3")
    rows = repr(site.people.registry.rows)
    assert "typed-as-name" not in rows
    assert "hunter" not in rows + repr(site.noted)


# --- requests that another site's page sends


@pytest.mark.parametrize(
    "headers",
    [
        {"x-csrf-token": ""},
        {"x-csrf-token": "0" * 64},
        {"x-csrf-token": "é"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ORIGIN.replace("https", "http")},
        {"origin": ORIGIN + ".evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_forged_request_changes_nothing(site, headers):
    browser = site.signed_in("eve")
    answer = browser.ask("PATCH", "/tenants/acme", {"title": "Evil"}, headers=headers)
    assert (answer.status, code_of(answer)) == (403, "cross-site")
    assert document(browser.ask("GET", "/tenants/acme"))["title"] == "acme"


def test_the_token_of_another_session_does_not_help(site):
    browser, other = site.signed_in("eve"), site.signed_in("eve")
    assert browser.csrf != other.csrf
    browser.csrf = other.csrf
    assert code_of(browser.ask("DELETE", "/session")) == "cross-site"


def test_a_page_of_ours_may_and_so_may_one_that_tells_no_origin(site):
    browser = site.signed_in("eve")
    assert browser.ask("PATCH", "/tenants/acme", {"title": "One"}).status == 200
    browser.page = None
    assert browser.ask("PATCH", "/tenants/acme", {"title": "Two"}).status == 200


def test_no_other_site_signs_a_browser_in(site):
    browser = site.browser()
    browser.page = "https://evil.example"
    assert code_of(browser.sign_in("eve", PASSWORD)) == "cross-site"
    assert browser.cookies == {}


def test_reading_needs_no_token(site):
    browser = site.signed_in("eve")
    browser.csrf = None
    assert browser.ask("GET", "/tenants/acme").status == 200


# --- sessions


def test_a_planted_session_is_not_taken_over(site):
    browser = site.browser()
    browser.cookies[SESSION] = "planted-by-somebody-else-1234567890123456789"
    browser.sign_in("eve", PASSWORD)
    assert browser.cookies[SESSION] != "planted-by-somebody-else-1234567890123456789"
    other = site.browser()
    other.cookies[SESSION] = "planted-by-somebody-else-1234567890123456789"
    assert code_of(other.ask("GET", "/session")) == "sign-in-needed"


def test_a_session_is_over_when_idle_and_at_its_age(site):
    browser = site.signed_in("eve")
    for _ in range(14):
        site.clock.turn(timedelta(hours=11))
        assert browser.ask("GET", "/session").status == 200
    site.clock.turn(timedelta(hours=15))
    assert browser.ask("GET", "/session").status == 401
    idle = site.signed_in("eve")
    site.clock.turn(timedelta(hours=12))
    assert code_of(idle.ask("GET", "/session")) == "sign-in-needed"


def test_signing_out_ends_the_session_on_the_platform_too(site):
    browser, other = site.signed_in("eve"), site.signed_in("eve")
    kept = dict(browser.cookies)
    assert browser.ask("DELETE", "/session").status == 204
    assert SESSION not in browser.cookies
    browser.cookies = kept
    assert browser.ask("GET", "/session").status == 401
    assert other.ask("GET", "/session").status == 200


@pytest.mark.parametrize("value", ["", "x", "é", "a" * 43, "a" * 5000, "a; b", '"', "\x7f"])
def test_what_is_no_token_is_nobody(site, value):
    browser = site.browser()
    browser.cookies[SESSION] = value
    assert code_of(browser.ask("GET", "/session")) == "sign-in-needed"


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Basic ZXZlOng=", "Bearer hpk_", "bearer x y", "é"]
)
def test_what_is_no_key_is_nobody_even_with_a_session(site, value):
    browser = site.signed_in("eve")
    answer = browser.ask("GET", "/session", headers={"authorization": value})
    assert code_of(answer) == "sign-in-needed"


# --- guesses


def guess(site, name="eve", address="203.0.113.9", browser=None):
    return (browser or site.browser(address)).sign_in(name, "not the right words")


def exhaust(site, name="eve", address="203.0.113.9"):
    for _ in range(5):
        assert guess(site, name, address).status == 401
    answer = guess(site, name, address)
    assert code_of(answer) == "too-many-requests"
    return int(answer.headers["retry-after"])


def test_who_guesses_waits_and_the_right_password_does_not_help_meanwhile(site):
    pause = exhaust(site)
    assert site.browser("203.0.113.9").sign_in("eve", PASSWORD).status == 429
    site.clock.turn(timedelta(seconds=pause))
    assert site.browser("203.0.113.9").sign_in("eve", PASSWORD).status == 201


def test_pauses_are_the_same_for_a_name_that_nobody_has(site):
    assert exhaust(site, "nobody") == exhaust(site, "eve")


def test_a_stranger_does_not_lock_the_owner_out(site):
    exhaust(site)
    assert site.browser("192.0.2.1").sign_in("eve", PASSWORD).status == 201


def test_not_even_from_the_same_address_where_the_browser_is_known(site):
    browser = site.signed_in("eve", "203.0.113.9")
    exhaust(site, "eve", "203.0.113.9")
    assert browser.sign_in("eve", PASSWORD).status == 201


def test_not_even_from_very_many_addresses_where_the_browser_is_known(site):
    known = site.signed_in("eve")
    statuses = [guess(site, address=f"198.51.100.{n}").status for n in range(100)]
    assert statuses.count(401) < sign_in.STRANGERS_BURST + 1
    assert statuses[-1] == 429
    assert site.browser("192.0.2.77").sign_in("eve", PASSWORD).status == 429
    assert known.sign_in("eve", PASSWORD).status == 201
    site.clock.turn(timedelta(minutes=6))  # and a stranger's door opens again by itself
    assert site.browser("192.0.2.77").sign_in("eve", PASSWORD).status == 201


def test_one_source_alone_does_not_use_up_the_tries_of_all_strangers(site):
    for _ in range(24 * 4):
        guess(site)
        site.clock.turn(timedelta(minutes=15))
    assert site.browser("192.0.2.77").sign_in("eve", PASSWORD).status == 201


def test_one_source_tries_only_so_many_names(site):
    statuses = [guess(site, f"name-{number}").status for number in range(40)]
    assert statuses == [401] * sign_in.SOURCE_BURST + [429] * 10


def test_a_known_browser_has_tries_of_its_own_and_not_more(site):
    browser = site.signed_in("eve")
    for _ in range(5):
        assert guess(site, browser=browser).status == 401
    assert guess(site, browser=browser).status == 429


def test_a_forged_or_foreign_browser_cookie_is_that_of_a_stranger(site):
    exhaust(site)
    anns = site.signed_in("ann").cookies[cookies.BROWSER]
    for value in (anns, "x.y", "." * 20, "a" * 32 + "." + "0" * 64, "é"):
        browser = site.browser("203.0.113.9")
        browser.cookies[cookies.BROWSER] = value
        assert browser.sign_in("eve", PASSWORD).status == 429


def test_a_new_password_makes_known_browsers_strangers(site):
    browser = site.signed_in("eve", "203.0.113.9")
    said = {"present": PASSWORD, "new": "some other four words"}
    assert browser.ask("PUT", "/account/password", said).status == 204
    exhaust(site)
    assert browser.sign_in("eve", "some other four words").status == 429
