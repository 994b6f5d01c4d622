# SPDX-License-Identifier: Apache-2.0
"""Accounts, identities, members, invitations, sessions and API keys."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contract.registry_suite import LATER, NOW, Opened, add_tenants, opened
from homeport.domain.account import Account, Identity
from homeport.domain.api_key import ApiKey
from homeport.domain.membership import Invitation, Member, Purpose, Settled
from homeport.domain.people import Permission, Role
from homeport.domain.session import Session
from homeport.domain.tenant import Tenant
from homeport.errors import Code
from homeport.provisioning.ports import Transaction

__all__ = ["opened"]

EVE = Account(id="1", name="eve@example.com", password_hash="$argon2id$x", made_at=NOW)
BOB = Account(id="2", name="bob", is_operator=True, made_at=LATER)
AT_ISSUER = Identity(issuer="https://id", subject="42", account="1", linked_at=NOW)
INVITATION = Invitation(
    id="i1", code_hash="aa", purpose=Purpose.MEMBER, name="bob", tenant="acme", role=Role.VIEWER,
    invited_by="eve", invited_at=NOW, expires_at=LATER,
)  # fmt: skip
SESSION = Session(
    token_hash="cc", account="1", started_at=NOW, seen_at=NOW, source="10.0.0.1", program="Browser"
)
KEY = ApiKey(
    id="k1", secret_hash="dd", title="größe \0 'x'", tenant="acme",
    scopes=frozenset({Permission.DEVICES_READ, Permission.SALES_WRITE}), made_by="eve", made_at=NOW,
)  # fmt: skip


@pytest.fixture
def peopled(opened: Opened) -> Opened:
    opened.do(add_tenants)
    put(opened, "accounts", EVE, BOB)
    return opened


def put(opened: Opened, part: str, *values: object) -> None:
    async def verb(tx: Transaction) -> None:
        for value in values:
            await getattr(tx, part).put(value)

    opened.do(verb)


def test_an_account_is_found_by_id_and_by_name(peopled):
    assert peopled.see(lambda tx: tx.accounts.get("1")) == EVE
    assert peopled.see(lambda tx: tx.accounts.named("bob")) == BOB
    assert peopled.see(lambda tx: tx.accounts.get("3")) is None
    assert peopled.see(lambda tx: tx.accounts.named("EVE@example.com")) is None


def test_accounts_are_paged_by_name(peopled):
    page = peopled.see(lambda tx: tx.accounts.page(after=None, limit=1))
    rest = peopled.see(lambda tx: tx.accounts.page(after=page[0].name, limit=5))
    assert [*page, *rest] == [BOB, EVE]


def test_an_account_changes_but_not_its_beginning(peopled):
    changed = replace(EVE, password_hash="$argon2id$y", is_operator=True, disabled_at=LATER)
    put(peopled, "accounts", replace(changed, made_at=LATER))
    assert peopled.see(lambda tx: tx.accounts.get("1")) == changed


def test_it_is_remembered_who_founded_a_tenant(peopled):
    founder = replace(EVE, has_founded=True)
    put(peopled, "accounts", founder)
    assert peopled.see(lambda tx: tx.accounts.get("1")) == founder


def test_two_accounts_never_have_one_name(peopled):
    peopled.refuses(
        Code.ALREADY_EXISTS, lambda tx: tx.accounts.put(replace(EVE, id="3", name="bob"))
    )
    peopled.refuses(Code.ALREADY_EXISTS, lambda tx: tx.accounts.put(replace(EVE, name="bob")))


def test_operators_who_are_disabled_do_not_count(peopled):
    assert peopled.see(lambda tx: tx.accounts.operators()) == 1
    put(peopled, "accounts", replace(EVE, is_operator=True), replace(BOB, disabled_at=LATER))
    assert peopled.see(lambda tx: tx.accounts.operators()) == 1
    put(peopled, "accounts", EVE)
    assert peopled.see(lambda tx: tx.accounts.operators()) == 0


def test_an_identity_belongs_to_one_account(peopled):
    peopled.do(lambda tx: tx.identities.add(AT_ISSUER))
    other = replace(AT_ISSUER, account="2")
    peopled.refuses(Code.ALREADY_EXISTS, lambda tx: tx.identities.add(other))
    peopled.refuses(
        Code.NOT_FOUND, lambda tx: tx.identities.add(replace(other, subject="43", account="9"))
    )
    assert peopled.see(lambda tx: tx.identities.get("https://id", "42")) == AT_ISSUER
    assert peopled.see(lambda tx: tx.identities.get("https://id/", "42")) is None
    assert list(peopled.see(lambda tx: tx.identities.of_account("1"))) == [AT_ISSUER]
    peopled.do(lambda tx: tx.identities.remove(AT_ISSUER))
    assert list(peopled.see(lambda tx: tx.identities.of_account("1"))) == []


def test_one_person_belongs_to_several_tenants(peopled):
    here = Member(tenant="acme", account="1", role=Role.ADMIN, joined_at=NOW)
    there = Member(tenant="bolt", account="1", role=Role.VIEWER, joined_at=NOW)
    other = Member(tenant="acme", account="2", role=Role.INSTALLER, joined_at=NOW)
    put(peopled, "members", there, here, other)
    assert list(peopled.see(lambda tx: tx.members.of_account("1"))) == [here, there]
    page = peopled.see(lambda tx: tx.members.of_tenant("acme", after=None, limit=1))
    rest = peopled.see(lambda tx: tx.members.of_tenant("acme", after="bob", limit=9))
    assert [*page, *rest] == [(other, BOB), (here, EVE)]


def test_a_member_changes_role_and_is_removed(peopled):
    member = Member(tenant="acme", account="1", role=Role.ADMIN, joined_at=NOW)
    put(peopled, "members", member, replace(member, role=Role.VIEWER, joined_at=LATER))
    assert peopled.see(lambda tx: tx.members.get("acme", "1")) == replace(member, role=Role.VIEWER)
    peopled.do(lambda tx: tx.members.remove(member))
    assert peopled.see(lambda tx: tx.members.get("acme", "1")) is None
    peopled.do(lambda tx: tx.members.remove(member))


def test_nobody_is_a_member_of_nothing(peopled):
    member = Member(tenant="none", account="1", role=Role.ADMIN, joined_at=NOW)
    peopled.refuses(Code.NOT_FOUND, lambda tx: tx.members.put(member))
    peopled.refuses(
        Code.NOT_FOUND, lambda tx: tx.members.put(replace(member, tenant="acme", account="9"))
    )


def test_admins_who_can_sign_in_are_counted(peopled):
    admin = Member(tenant="acme", account="1", role=Role.ADMIN, joined_at=NOW)
    put(peopled, "members", admin, replace(admin, account="2"), replace(admin, tenant="bolt"))
    assert peopled.see(lambda tx: tx.members.admins("acme")) == 2
    put(peopled, "accounts", replace(BOB, disabled_at=NOW))
    assert peopled.see(lambda tx: tx.members.admins("acme")) == 1
    put(peopled, "members", replace(admin, role=Role.ENGINEER))
    assert peopled.see(lambda tx: tx.members.admins("acme")) == 0


def test_an_invitation_is_found_by_its_code_and_settled_once_made(peopled):
    put(peopled, "invitations", INVITATION)
    assert peopled.see(lambda tx: tx.invitations.get("i1")) == INVITATION
    assert peopled.see(lambda tx: tx.invitations.with_code("aa")) == INVITATION
    assert peopled.see(lambda tx: tx.invitations.with_code("ab")) is None
    done = replace(INVITATION, settled=Settled.ACCEPTED, settled_at=LATER)
    put(peopled, "invitations", replace(done, role=Role.ADMIN, name="mallory"))
    assert peopled.see(lambda tx: tx.invitations.get("i1")) == done


def test_invitations_are_listed_by_tenant_or_without_one(peopled):
    other = replace(INVITATION, id="i2", code_hash="bb")
    operator = replace(
        INVITATION, id="i3", code_hash="c", purpose=Purpose.OPERATOR, tenant=None, role=None
    )
    password = replace(operator, id="i4", code_hash="d", purpose=Purpose.PASSWORD, account="1")
    put(peopled, "invitations", password, other, INVITATION, operator)

    def page(tenant, after=None, limit=9):
        return list(
            peopled.see(lambda tx: tx.invitations.of_tenant(tenant, after=after, limit=limit))
        )

    assert page("acme", limit=1) == [INVITATION]
    assert page("acme", "i1") == [other]
    assert page(None) == [operator, password]
    assert page("bolt") == []


def test_a_session_is_kept_until_it_is_removed(peopled):
    later = replace(SESSION, token_hash="bb", started_at=LATER, seen_at=LATER)
    put(peopled, "sessions", later, SESSION)
    assert peopled.see(lambda tx: tx.sessions.get("cc")) == SESSION
    assert list(peopled.see(lambda tx: tx.sessions.of_account("1"))) == [SESSION, later]
    seen = replace(SESSION, seen_at=NOW + timedelta(minutes=5))
    put(peopled, "sessions", replace(seen, account="2", program="other"))
    assert peopled.see(lambda tx: tx.sessions.get("cc")) == seen
    peopled.do(lambda tx: tx.sessions.remove(SESSION))
    assert peopled.see(lambda tx: tx.sessions.get("cc")) is None
    assert list(peopled.see(lambda tx: tx.sessions.of_account("1"))) == [later]


def test_there_is_no_session_of_nobody(peopled):
    peopled.refuses(Code.NOT_FOUND, lambda tx: tx.sessions.put(replace(SESSION, account="9")))


def test_a_key_is_kept_with_its_use_and_its_end(peopled):
    put(peopled, "api_keys", KEY)
    assert peopled.see(lambda tx: tx.api_keys.get("k1")) == KEY
    assert peopled.see(lambda tx: tx.api_keys.get("k2")) is None
    ended = replace(KEY, used_at=NOW, revoked_at=LATER)
    put(peopled, "api_keys", replace(ended, scopes=frozenset(Permission), title="more"))
    assert peopled.see(lambda tx: tx.api_keys.get("k1")) == ended


def test_keys_are_listed_by_whose_they_are(peopled):
    persons = replace(KEY, id="k2", tenant=None, account="1", expires_at=LATER)
    platforms = replace(KEY, id="k3", tenant=None)
    later = replace(KEY, id="k0", made_at=LATER, scopes=frozenset())
    put(peopled, "api_keys", later, KEY, persons, platforms)

    def keys(tenant=None, account=None):
        return list(peopled.see(lambda tx: tx.api_keys.of_holder(tenant=tenant, account=account)))

    assert keys("acme") == [KEY, later]
    assert keys(account="1") == [persons]
    assert keys() == [platforms]
    assert keys("bolt") == []


def test_what_somebody_gave_out_is_found_in_all_tenants(peopled):
    keys = [
        replace(KEY, maker="1"),
        replace(KEY, id="k2", tenant=None, account="1", maker="1", made_at=LATER),
        replace(KEY, id="k3", maker="2"),
        replace(KEY, id="k4"),
    ]
    invitations = [
        replace(INVITATION, maker="1"),
        replace(INVITATION, id="i2", code_hash="b", tenant="bolt", maker="1"),
        replace(INVITATION, id="i3", code_hash="c", maker="2"),
        replace(INVITATION, id="i4", code_hash="d"),
    ]
    put(peopled, "api_keys", *keys, replace(KEY, id="k5", maker="1", revoked_at=LATER))
    settled = replace(INVITATION, id="i5", code_hash="e", maker="1", settled=Settled.REVOKED)
    put(peopled, "invitations", *invitations, settled)
    assert peopled.see(lambda tx: tx.api_keys.unrevoked_by("1")) == keys[:2]
    assert peopled.see(lambda tx: tx.invitations.unsettled_by("1")) == invitations[:2]
    assert peopled.see(lambda tx: tx.invitations.unsettled_by("3")) == []


def test_there_is_no_key_of_nobody(peopled):
    peopled.refuses(Code.NOT_FOUND, lambda tx: tx.api_keys.put(replace(KEY, tenant="none")))
    peopled.refuses(
        Code.NOT_FOUND, lambda tx: tx.api_keys.put(replace(KEY, tenant=None, account="9"))
    )


def test_a_tenants_title_and_default_upstream_change(opened):
    opened.do(add_tenants)
    changed = Tenant(name="acme", title="Acme SE", default_upstream="edge", added_at=NOW)
    opened.do(lambda tx: tx.tenants.change(replace(changed, added_at=LATER)))
    opened.do(lambda tx: tx.tenants.change(replace(changed, name="nobody")))
    assert opened.see(lambda tx: tx.tenants.get("acme")) == changed
    assert opened.see(lambda tx: tx.tenants.get("nobody")) is None
