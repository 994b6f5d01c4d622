# SPDX-License-Identifier: Apache-2.0
"""What somebody gave out ends with the right to give it: by hand, by a key, in any tenant."""

import asyncio

import pytest

from fakes.people import PASSWORD
from fakes.people_site import PeopleSite, code_of, document

NEW = "some other four words"


@pytest.fixture
def site(tmp_path):
    with asyncio.Runner() as runner:
        yield PeopleSite(tmp_path, runner)


@pytest.fixture
def op(site):
    return site.signed_in("op")


@pytest.fixture
def other(site):
    """A second operator, who belongs to no tenant."""
    site.people.account("op2", is_operator=True)
    return site.signed_in("op2")


def key(browser, tenant="acme", **more):
    said = {"title": "x", "scopes": ["members:write", "devices:read", "tenant:read"]} | more
    path = f"/tenants/{tenant}/api-keys" if tenant else "/account/api-keys"
    return document(browser.ask("POST", path, said))["token"]


def invited(sender, tenant="acme", role="viewer", name="friend"):
    said = {"name": name, "role": role}
    return document(sender.ask("POST", f"/tenants/{tenant}/invitations", said))["code"]


def accept(site, code):
    return site.browser().ask("POST", "/invitations/accept", {"code": code, "password": NEW})


def disable(op, site, name):
    account = next(a for a in document(op.ask("GET", "/accounts"))["items"] if a["name"] == name)
    assert op.ask("PATCH", f"/accounts/{account['id']}", {"is_disabled": True}).status == 200
    return account["id"]


def test_an_invitation_made_by_a_key_ends_with_who_made_the_key(site):
    code = invited(site.program(key(site.signed_in("eve"))))
    kept = invited(site.program(key(site.signed_in("ann"))), name="colleague")
    path = f"/tenants/acme/members/{site.people.eve.id}"
    assert site.signed_in("ann").ask("DELETE", path).status == 204
    assert code_of(accept(site, code)) == "invitation-unknown"
    assert accept(site, kept).status == 201


def test_what_an_operator_gave_out_in_tenants_of_others_ends_when_he_is_disabled(site, op, other):
    token, codes = key(other), [invited(other, "acme"), invited(other, "bolt", "admin", "mole")]
    operators = document(other.ask("POST", "/invitations", {"name": "op3"}))["code"]
    assert site.program(token).ask("GET", "/tenants/acme").status == 200
    disable(op, site, "op2")
    assert code_of(site.program(token).ask("GET", "/tenants/acme")) == "sign-in-needed"
    for code in (*codes, operators):
        assert code_of(accept(site, code)) == "invitation-unknown"


def test_keys_of_before_do_not_come_back_with_the_account(site, op, other):
    mine = key(other, None, present=PASSWORD)
    account = disable(op, site, "op2")
    assert op.ask("PATCH", f"/accounts/{account}", {"is_disabled": False}).status == 200
    assert code_of(site.program(mine).ask("GET", "/session")) == "sign-in-needed"


def test_who_has_the_name_of_a_key_or_of_another_takes_nothing_back(site, op, other):
    kept = invited(other)
    site.people.account("op2x")
    disable(op, site, "op2x")
    assert accept(site, kept).status == 201
