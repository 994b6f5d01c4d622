# SPDX-License-Identifier: Apache-2.0
"""Set-up, one's own account, members, invitations and keys, as their door tells it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.people import PASSWORD
from fakes.people_site import PeopleSite, Program, code_of, document
from homeport.domain.audit import Name
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError

OTHER = "some other four words"


@pytest.fixture
def site(tmp_path):
    with asyncio.Runner() as runner:
        yield PeopleSite(tmp_path, runner)


@pytest.fixture
def eve(site):
    return site.signed_in("eve")


@pytest.fixture
def op(site):
    return site.signed_in("op")


# --- set-up


@pytest.fixture
def new_site(site):
    site.people.registry.rows.accounts.clear()
    site.set_up.offer()
    return site


def set_up(site, code=None, browser=None, **changes):
    code = code or site.set_up.path.read_text()
    said = {"code": code, "name": "root", "password": PASSWORD} | changes
    return (browser or site.browser()).ask("POST", "/set-up", said)


def test_the_code_makes_the_operator_signs_in_and_is_gone(new_site):
    browser = new_site.browser()
    assert document(browser.ask("GET", "/set-up")) == {"is_needed": True}
    assert new_site.set_up.path.stat().st_mode & 0o777 == 0o600
    answer = set_up(new_site, browser=browser)
    assert answer.status == 201
    assert document(browser.ask("GET", "/session"))["is_operator"] is True
    assert not new_site.set_up.path.exists()
    assert document(browser.ask("GET", "/set-up")) == {"is_needed": False}


def test_a_second_set_up_is_refused_also_with_the_code(new_site):
    code = new_site.set_up.path.read_text()
    set_up(new_site)
    assert code_of(set_up(new_site, code, name="mallory")) == "set-up-already"
    new_site.set_up.offer()
    assert code_of(set_up(new_site, name="mallory")) == "set-up-already"


@pytest.mark.parametrize("code", ["x", "é", " ", "a" * 43, "\n"])
def test_another_code_is_refused(new_site, code):
    assert code_of(set_up(new_site, code)) == "set-up-code-wrong"
    assert new_site.set_up.path.exists()
    assert not new_site.people.registry.rows.accounts


def test_without_a_file_no_code_is_right(new_site):
    new_site.set_up.withdraw()
    assert code_of(set_up(new_site, "x")) == "set-up-code-wrong"


def test_an_empty_file_is_no_code(new_site):
    new_site.set_up.path.write_text("\n")
    assert code_of(set_up(new_site, " ")) == "set-up-code-wrong"


def test_the_code_stays_when_the_password_is_too_weak(new_site):
    assert code_of(set_up(new_site, password="root")) == "password-unsuitable"
    assert set_up(new_site).status == 201


def test_offering_again_keeps_the_code(new_site):
    code = new_site.set_up.path.read_text()
    new_site.set_up.offer()
    assert new_site.set_up.path.read_text() == code


# --- one's own account


def test_a_password_is_changed_by_who_knows_it_and_ends_other_sessions(site, eve):
    other = site.signed_in("eve")
    wrong = eve.ask("PUT", "/account/password", {"present": "not the right", "new": OTHER})
    assert code_of(wrong) == "sign-in-refused"
    missing = eve.ask("PUT", "/account/password", {"new": OTHER})
    assert code_of(missing) == "sign-in-refused"
    assert eve.ask("PUT", "/account/password", {"present": PASSWORD, "new": OTHER}).status == 204
    assert eve.ask("GET", "/account").status == 200
    assert other.ask("GET", "/account").status == 401
    assert site.browser().sign_in("eve", PASSWORD).status == 401
    assert site.browser().sign_in("eve", OTHER).status == 201


def test_a_stolen_cookie_does_not_guess_the_password_for_long(site, eve):
    statuses = [
        eve.ask("PUT", "/account/password", {"present": f"guess {n} of it", "new": OTHER}).status
        for n in range(8)
    ]
    assert statuses == [401] * 5 + [429] * 3
    assert site.browser("192.0.2.2").sign_in("eve", PASSWORD).status == 201


def test_a_stolen_cookie_becomes_nothing_that_stays(site, eve):
    for said in ({}, {"present": "not the right words"}):
        order = {"title": "x", "scopes": ["devices:read"], **said}
        assert code_of(eve.ask("POST", "/account/api-keys", order)) == "sign-in-refused"
        assert code_of(eve.ask("POST", "/oidc/link", said)) == "sign-in-refused"


def test_who_has_no_password_shows_presence_by_a_session_that_has_just_begun(site):
    account = site.people.registry.rows.accounts[site.people.ian.id]
    ian = site.signed_in("ian")
    site.people.do(lambda tx: tx.accounts.put(replace(account, password_hash=None)))
    order = {"title": "x", "scopes": ["devices:read"]}
    assert ian.ask("POST", "/account/api-keys", order).status == 201
    site.clock.turn(timedelta(minutes=11))
    assert code_of(ian.ask("POST", "/account/api-keys", order)) == "sign-in-needed"
    assert code_of(ian.ask("PUT", "/account/password", {"new": OTHER})) == "sign-in-needed"


def test_sessions_are_listed_and_ended_one_or_all_others(site, eve):
    second, third = site.signed_in("eve"), site.signed_in("eve")
    listed = document(eve.ask("GET", "/account/sessions"))["items"]
    assert [each["is_this"] for each in listed].count(True) == 1
    assert len(listed) == 3
    assert {each["program"] for each in listed} == {"Browser/1.0"}
    [this] = [
        e["id"] for e in document(second.ask("GET", "/account/sessions"))["items"] if e["is_this"]
    ]
    assert eve.ask("DELETE", f"/account/sessions/{this}").status == 204
    assert second.ask("GET", "/session").status == 401
    assert eve.ask("DELETE", "/account/sessions").status == 204
    assert third.ask("GET", "/session").status == 401
    assert eve.ask("GET", "/session").status == 200


def test_a_foreign_session_does_not_exist(site, eve):
    ann = site.signed_in("ann")
    [session] = document(ann.ask("GET", "/account/sessions"))["items"]
    assert eve.ask("DELETE", f"/account/sessions/{session['id']}").status == 404
    assert ann.ask("GET", "/session").status == 200


def test_a_key_does_nothing_about_its_person(site, eve):
    made = document(
        eve.ask(
            "POST",
            "/account/api-keys",
            {"title": "x", "scopes": list(Permission), "present": PASSWORD},
        )
    )
    program = site.program(made["token"])
    assert program.ask("GET", "/session").status == 200
    for method, path, said in [
        ("GET", "/account", None), ("DELETE", "/account/sessions", None),
        ("PUT", "/account/password", {"present": PASSWORD, "new": OTHER}),
        ("POST", "/account/api-keys", {"title": "y", "scopes": ["devices:read"]}),
        ("POST", "/account/tenants", {"name": "mine"}), ("DELETE", "/session", None),
    ]:  # fmt: skip
        assert code_of(program.ask(method, path, said)) == "role-insufficient", path


def test_founding_is_off_unless_the_platform_allows_it(tmp_path, eve):
    assert code_of(eve.ask("POST", "/account/tenants", {"name": "mine"})) == "role-insufficient"
    with asyncio.Runner() as runner:
        site = PeopleSite(tmp_path, runner, may_found_tenants=True)
        ian = site.signed_in("ian")
        assert ian.ask("POST", "/account/tenants", {"name": "mine"}).status == 201
        assert document(ian.ask("GET", "/session"))["roles"]["mine"] == "admin"
        assert code_of(ian.ask("POST", "/account/tenants", {"name": "more"})) == "already-exists"


def test_one_leaves_a_tenant_but_not_as_its_last_admin(site, eve):
    ian, ann = site.signed_in("ian"), site.signed_in("ann")
    assert ian.ask("DELETE", "/account/tenants/acme").status == 204
    assert ian.ask("GET", "/tenants/acme").status == 404
    assert ian.ask("GET", "/tenants/bolt").status == 200
    assert ann.ask("DELETE", "/account/tenants/acme").status == 204
    assert code_of(eve.ask("DELETE", "/account/tenants/acme")) == "last-admin"
    assert eve.ask("DELETE", "/account/tenants/bolt").status == 404


# --- tenants and members


def test_a_tenant_is_changed_by_its_admin_with_the_etag_that_was_read(site, eve):
    tag = eve.ask("GET", "/tenants/acme").headers["etag"]
    first = eve.ask("PATCH", "/tenants/acme", {"title": "A"}, headers={"if-match": tag})
    again = eve.ask("PATCH", "/tenants/acme", {"title": "B"}, headers={"if-match": tag})
    assert (first.status, code_of(again)) == (200, "changed-meanwhile")
    unknown = eve.ask("PATCH", "/tenants/acme", {"upstream": "nowhere"})
    assert code_of(unknown) == "upstream-unknown"
    assert document(eve.ask("GET", "/tenants/acme"))["title"] == "A"


def test_members_are_listed_page_by_page(eve):
    first = document(eve.ask("GET", "/tenants/acme/members?limit=2"))
    rest = document(eve.ask("GET", f"/tenants/acme/members?after={first['next']}"))
    names = [each["name"] for page in (first, rest) for each in page["items"]]
    assert names == ["ann", "eve", "ian"]
    assert rest["next"] is None


def test_a_role_is_changed_and_counts_with_the_next_request(site, eve):
    ian = site.signed_in("ian")
    assert ian.ask("GET", "/tenants/acme/members").status == 403
    path = f"/tenants/acme/members/{site.people.ian.id}"
    tag = eve.ask("GET", path).headers["etag"]
    answer = eve.ask("PATCH", path, {"role": "engineer"}, headers={"if-match": tag})
    assert document(answer)["role"] == "engineer"
    assert ian.ask("GET", "/tenants/acme/members").status == 200
    stale = eve.ask("DELETE", path, headers={"if-match": tag})
    assert code_of(stale) == "changed-meanwhile"
    assert eve.ask("DELETE", path).status == 204
    assert ian.ask("GET", "/tenants/acme/members").status == 404


def test_nobody_raises_oneself_and_nobody_acts_in_another_tenant(site):
    ian = site.signed_in("ian")
    for tenant, status in (("acme", 403), ("bolt", 403)):
        path = f"/tenants/{tenant}/members/{site.people.ian.id}"
        assert ian.ask("PATCH", path, {"role": "admin"}).status == status
    eve = site.signed_in("eve")
    said = {"name": "friend", "role": "admin"}
    assert eve.ask("POST", "/tenants/bolt/invitations", said).status == 404
    assert eve.ask("GET", "/tenants/bolt/members").status == 404
    path = f"/tenants/bolt/members/{site.people.ian.id}"
    assert eve.ask("PATCH", path, {"role": "admin"}).status == 404


def test_an_operator_disables_an_account_and_lets_it_in_again(site, op, eve):
    path = f"/accounts/{site.people.eve.id}"
    tag = op.ask("GET", path).headers["etag"]
    done = op.ask("PATCH", path, {"is_disabled": True}, headers={"if-match": tag})
    assert document(done)["is_disabled"] is True
    assert eve.ask("GET", "/session").status == 401
    assert site.browser().sign_in("eve", PASSWORD).status == 401
    assert op.ask("PATCH", path, {"is_disabled": False}).status == 200
    assert site.browser().sign_in("eve", PASSWORD).status == 201
    mine = f"/accounts/{site.people.op.id}"
    assert code_of(op.ask("PATCH", mine, {"is_disabled": True})) == "last-admin"


def test_accounts_are_the_operators_business(site, op, eve):
    assert [each["name"] for each in document(op.ask("GET", "/accounts"))["items"]] == [
        "ann", "eve", "ian", "op",
    ]  # fmt: skip
    for path in ("/accounts", f"/accounts/{site.people.ian.id}", "/api-keys", "/invitations"):
        assert eve.ask("GET", path).status == 404, path


# --- invitations


def invited(browser, name="new", role="engineer", tenant="acme"):
    answer = browser.ask("POST", f"/tenants/{tenant}/invitations", {"name": name, "role": role})
    assert answer.status == 201, answer.body
    return document(answer)


def accept(browser, code, password=None):
    return browser.ask("POST", "/invitations/accept", {"code": code, "password": password})


def test_who_is_invited_makes_an_account_and_is_in(site, eve):
    made = invited(eve)
    browser = site.browser()
    offer = document(browser.ask("POST", "/invitations/look", {"code": made["code"]}))
    assert (offer["name"], offer["tenant"], offer["role"]) == ("new", "acme", "engineer")
    answer = accept(browser, made["code"], PASSWORD)
    assert (answer.status, document(answer)["roles"]) == (201, {"acme": "engineer"})
    assert browser.ask("GET", "/tenants/acme").status == 200
    assert made["code"] not in eve.ask("GET", "/tenants/acme/invitations").body.decode()


def test_an_invitation_is_used_once(site, eve):
    code = invited(eve)["code"]
    assert accept(site.browser(), code, PASSWORD).status == 201
    assert code_of(accept(site.browser(), code, PASSWORD)) == "invitation-unknown"
    assert site.browser().ask("POST", "/invitations/look", {"code": code}).status == 404


def test_a_weak_password_does_not_use_it_up(site, eve):
    code = invited(eve)["code"]
    assert code_of(accept(site.browser(), code, "short")) == "password-unsuitable"
    assert code_of(accept(site.browser(), code)) == "malformed"
    assert accept(site.browser(), code, PASSWORD).status == 201


def test_who_is_signed_in_accepts_as_oneself(site, eve):
    ian = site.signed_in("ian")
    code = invited(eve, name="ian@work.example")["code"]
    assert document(accept(ian, code))["roles"]["acme"] == "engineer"


def test_another_site_does_not_accept_in_ones_name(site, eve):
    ian = site.signed_in("ian")
    code = invited(eve)["code"]
    ian.csrf = None
    assert code_of(accept(ian, code)) == "cross-site"
    ian.page = "https://evil.example"
    assert code_of(accept(ian, code)) == "cross-site"


def test_an_expired_session_in_the_way_is_nobody(site, eve):
    browser = site.signed_in("ian")
    site.clock.turn(timedelta(hours=13))
    code = invited(site.signed_in("eve"))["code"]
    assert accept(browser, code, PASSWORD).status == 201


def test_an_invitation_ends_by_time_and_by_hand(site, eve):
    made = invited(eve)
    path = f"/tenants/acme/invitations/{made['invitation']['id']}"
    assert (
        site.signed_in("op").ask("DELETE", f"/invitations/{made['invitation']['id']}").status == 404
    )
    assert eve.ask("DELETE", path).status == 204
    assert eve.ask("DELETE", path).status == 404
    assert code_of(accept(site.browser(), made["code"], PASSWORD)) == "invitation-unknown"
    later = invited(eve)["code"]
    site.clock.turn(timedelta(days=7))
    assert code_of(accept(site.browser(), later, PASSWORD)) == "invitation-unknown"


def test_a_repeated_request_does_not_show_the_code_again(eve):
    said, key = {"name": "new", "role": "viewer"}, {"idempotency-key": "k1"}
    first = eve.ask("POST", "/tenants/acme/invitations", said, headers=key)
    again = eve.ask("POST", "/tenants/acme/invitations", said, headers=key)
    assert (first.status, code_of(again)) == (201, "already-exists")
    assert len(document(eve.ask("GET", "/tenants/acme/invitations"))["items"]) == 1


def test_a_forgotten_password_is_chosen_anew_with_a_code(site, op):
    made = document(op.ask("POST", f"/accounts/{site.people.eve.id}/new-password"))
    old = site.signed_in("eve")
    assert made["invitation"]["purpose"] == "password"
    assert accept(site.browser(), made["code"], OTHER).status == 201
    assert old.ask("GET", "/session").status == 401
    assert site.browser().sign_in("eve", OTHER).status == 201


def test_an_operator_invites_another(site, op):
    made = document(op.ask("POST", "/invitations", {"name": "op2"}))
    assert document(accept(site.browser(), made["code"], PASSWORD))["is_operator"] is True
    listed = document(op.ask("GET", "/invitations"))["items"]
    assert [(each["name"], each["settled"]) for each in listed] == [("op2", "accepted")]


# --- API keys


def made_key(browser, path="/tenants/acme/api-keys", scopes=("devices:read",), **more):
    answer = browser.ask("POST", path, {"title": "erp", "scopes": list(scopes), **more})
    assert answer.status == 201, answer.body
    return document(answer)


def test_a_key_is_shown_once_and_recognised_by_its_beginning(site, eve):
    made = made_key(eve)
    listed = eve.ask("GET", "/tenants/acme/api-keys")
    [shown] = document(listed)["items"]
    assert shown == made["key"]
    assert made["token"].startswith(shown["prefix"] + "_")
    assert made["token"] not in listed.body.decode()
    assert made["token"] not in repr(site.people.registry.rows)


def test_a_key_with_lesser_scope_is_refused_what_it_lacks(site, eve):
    program = site.program(made_key(eve, scopes=["tenant:read"])["token"])
    assert program.ask("GET", "/tenants/acme").status == 200
    assert program.ask("GET", "/tenants/bolt").status == 404
    answer = program.ask("PATCH", "/tenants/acme", {"title": "x"})
    assert (answer.status, code_of(answer)) == (403, "role-insufficient")
    assert program.ask("GET", "/tenants/acme/members").status == 403


def test_a_program_needs_no_token_against_forgery_and_gets_no_cookie(site, eve):
    program = site.program(made_key(eve, scopes=["tenant:write"])["token"])
    assert program.ask("PATCH", "/tenants/acme", {"title": "By key"}).status == 200
    assert program.browser.cookies == {}


def test_a_key_makes_no_keys(site, eve, op):
    token = made_key(eve, scopes=["members:write", "devices:read"])["token"]
    answer = site.program(token).ask(
        "POST", "/tenants/acme/api-keys", {"title": "child", "scopes": ["devices:read"]}
    )
    assert code_of(answer) == "role-insufficient"
    platform = made_key(op, "/api-keys", scopes=["platform:operate"])["token"]
    answer = site.program(platform).ask(
        "POST", "/api-keys", {"title": "child", "scopes": ["platform:operate"]}
    )
    assert code_of(answer) == "role-insufficient"


def test_a_key_ends_by_time_by_hand_and_with_its_maker(site, eve):
    soon = site.clock.now() + timedelta(hours=1)
    timed = site.program(
        made_key(eve, scopes=["tenant:read"], expires_at=soon.isoformat())["token"]
    )
    by_hand, with_maker = (
        made_key(eve, scopes=["tenant:read"]),
        made_key(eve, scopes=["tenant:read"]),
    )
    assert timed.ask("GET", "/tenants/acme").status == 200
    site.clock.turn(timedelta(hours=1))
    assert timed.ask("GET", "/tenants/acme").status == 401
    assert eve.ask("DELETE", f"/tenants/acme/api-keys/{by_hand['key']['id']}").status == 204
    assert site.program(by_hand["token"]).ask("GET", "/tenants/acme").status == 401
    program = site.program(with_maker["token"])
    assert program.ask("GET", "/tenants/acme").status == 200
    site.signed_in("ann").ask("DELETE", f"/tenants/acme/members/{site.people.eve.id}")
    assert program.ask("GET", "/tenants/acme").status == 401


def test_a_key_of_another_holder_does_not_exist(site, eve, op):
    acmes = made_key(eve)["key"]["id"]
    platforms = made_key(op, "/api-keys", scopes=["sales:write"])["key"]["id"]
    eves = made_key(eve, "/account/api-keys", present=PASSWORD)["key"]["id"]
    for browser, path in [
        (op, f"/api-keys/{acmes}"), (op, f"/api-keys/{eves}"),
        (eve, f"/tenants/acme/api-keys/{platforms}"), (eve, f"/tenants/acme/api-keys/{eves}"),
        (eve, f"/account/api-keys/{acmes}"), (site.signed_in("ann"), f"/account/api-keys/{eves}"),
    ]:  # fmt: skip
        assert browser.ask("DELETE", path).status == 404, path
    assert eve.ask("DELETE", f"/account/api-keys/{eves}").status == 204


def test_a_tenants_key_has_no_scope_of_the_operator(eve):
    said = {"title": "x", "scopes": ["platform:operate"]}
    assert code_of(eve.ask("POST", "/tenants/acme/api-keys", said)) == "malformed"


def test_use_is_noted_coarsely(site, eve):
    made = made_key(eve, scopes=["tenant:read"])
    program = site.program(made["token"])
    program.ask("GET", "/tenants/acme")
    first = site.people.registry.rows.api_keys[made["key"]["id"]].used_at
    version = site.runner.run(site.people.registry.version())
    site.clock.turn(timedelta(minutes=59))
    program.ask("GET", "/tenants/acme")
    assert site.runner.run(site.people.registry.version()) == version
    site.clock.turn(timedelta(minutes=1))
    program.ask("GET", "/tenants/acme")
    assert site.people.registry.rows.api_keys[made["key"]["id"]].used_at > first


def test_a_full_disk_refuses_nobody_who_only_reads(site, eve, monkeypatch):
    program = site.program(made_key(eve, scopes=["tenant:read"])["token"])

    async def full(_verb):
        raise HomeportError(Code.STORAGE_UNAVAILABLE, "disk full")

    monkeypatch.setattr(site.people.registry, "transact", full)
    site.clock.turn(timedelta(hours=2))
    assert program.ask("GET", "/tenants/acme").status == 200
    assert eve.ask("GET", "/tenants/acme").status == 200
    assert code_of(eve.ask("PATCH", "/tenants/acme", {"title": "x"})) == "storage-unavailable"


def test_all_of_it_is_in_the_trail_and_a_tenant_sees_its_own(site, eve, op):
    made_key(eve)
    invited(eve)
    made_key(op, "/api-keys", scopes=["sales:write"])
    owners = {event.name: event.tenant for event in site.people.told(*Name)}
    assert owners[Name.INVITATION_MADE] == "acme"
    assert owners[Name.SESSION_STARTED] is None
    keys = [event.tenant for event in site.people.told(Name.API_KEY_MADE)]
    assert keys == ["acme", None]


def test_an_invitation_is_not_accepted_by_a_key(site, eve):
    token = made_key(eve, "/account/api-keys", present=PASSWORD)["token"]
    program: Program = site.program(token)
    answer = program.ask("POST", "/invitations/accept", {"code": invited(eve)["code"]})
    assert code_of(answer) == "role-insufficient"
