# SPDX-License-Identifier: Apache-2.0
"""What an API key never becomes: a person who may do more than the key, and who outlives it."""

import asyncio

import pytest

from fakes.people_site import PeopleSite, code_of, document
from homeport.domain.people import Permission, Role


@pytest.fixture
def site(tmp_path):
    with asyncio.Runner() as runner:
        yield PeopleSite(tmp_path, runner)


def program(site, person, path, *scopes):
    """A program with a key that the person made."""
    said = {"title": "erp", "scopes": scopes}
    return site.program(document(site.signed_in(person).ask("POST", path, said))["token"])


def acmes(site, *scopes):
    return program(site, "eve", "/tenants/acme/api-keys", *scopes)


def invite(sender, role, name="new"):
    said = {"name": name, "role": role}
    return sender.ask("POST", "/tenants/acme/invitations", said)


def test_a_platform_key_does_not_become_an_operator(site):
    key = program(site, "op", "/api-keys", *Permission)
    op, ian = site.people.op.id, site.people.ian.id
    for method, path, said in (
        ("POST", f"/accounts/{op}/new-password", None),
        ("PATCH", f"/accounts/{ian}", {"is_disabled": True}),
        ("POST", "/invitations", {"name": "mole"}),
    ):
        assert code_of(key.ask(method, path, said)) == "role-insufficient", path
    assert not site.people.registry.rows.invitations
    assert not site.people.now_is(site.people.ian).is_disabled
    assert key.ask("GET", "/accounts").status == 200  # to look is what it is for


def test_nor_does_an_operators_own_key(site):
    said = {"title": "x", "scopes": ["platform:operate"], "present": "four words unlike others"}
    made = site.signed_in("op").ask("POST", "/account/api-keys", said)
    key = site.program(document(made)["token"])
    assert code_of(key.ask("POST", "/invitations", {"name": "mole"})) == "role-insufficient"


def test_a_key_invites_to_roles_that_may_no_more_than_the_key(site):
    key = acmes(site, "members:write", "tenant:read", "devices:read")
    assert invite(key, "viewer").status == 201
    for role in ("installer", "engineer", "admin"):
        assert code_of(invite(key, role)) == "role-insufficient", role


def test_no_key_makes_an_admin_whatever_its_scopes(site):
    key = acmes(site, *(scope for scope in Permission if scope not in OPERATORS))
    assert invite(key, "engineer").status == 201
    assert code_of(invite(key, "admin")) == "role-insufficient"
    platform = program(site, "op", "/api-keys", *Permission)
    assert code_of(invite(platform, "admin")) == "role-insufficient"


OPERATORS = {Permission.PLATFORM_OPERATE, Permission.SALES_WRITE}


def test_a_key_gives_a_member_no_role_that_may_more_than_the_key(site):
    key, ian = acmes(site, "members:write", "tenant:read", "devices:read"), site.people.ian
    path = f"/tenants/acme/members/{ian.id}"
    for role in ("engineer", "admin"):
        assert code_of(key.ask("PATCH", path, {"role": role})) == "role-insufficient"
    assert key.ask("PATCH", path, {"role": "viewer"}).status == 200
    assert site.people.member("acme", ian).role is Role.VIEWER
