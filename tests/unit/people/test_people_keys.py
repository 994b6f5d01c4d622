# SPDX-License-Identifier: Apache-2.0
"""API keys: shown once, less than their maker, ended by time, by hand and with their person."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.people import LATER, NOW, People
from homeport.domain.api_key import USE_NOTED_EVERY
from homeport.domain.audit import Name
from homeport.domain.people import Permission, Role
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.people.add_account import NewAccount, add_account, set_up
from homeport.provisioning.people.api_keys import KEYS_MAX, KeyOrder, make_key, revoke_key
from homeport.provisioning.people.change_account import disable_account
from homeport.provisioning.people.members import remove_member
from homeport.provisioning.people.recognise import by_key, note_use

READ = frozenset({Permission.DEVICES_READ})
ORDER = KeyOrder(title="größe <b>'x'", scopes=READ, tenant="acme")


@pytest.fixture
def people() -> People:
    return People()


def made(people, order=ORDER, now=NOW):
    return people.do(lambda tx: make_key(tx, order, actor="eve", now=now))


def seen(people, token, now=NOW):
    return people.see(lambda tx: by_key(tx, token, now=now))


def test_a_tenants_key_may_what_its_scopes_say_in_its_tenant(people):
    key, token = made(people)
    caller = seen(people, token).caller
    assert caller.actor == f"key {key.prefix}"
    assert caller.account is None
    assert caller.may(Permission.DEVICES_READ, "acme")
    assert not caller.may(Permission.DEVICES_OPERATE, "acme")
    assert not caller.may(Permission.DEVICES_READ, "bolt")
    assert not caller.sees("bolt")


def test_a_persons_key_has_the_persons_roles_of_the_moment(people):
    order = KeyOrder(title="laptop", scopes=list(Permission), account=people.ian.id)
    _, token = made(people, order)
    caller = seen(people, token).caller
    assert (caller.actor, caller.account) == ("ian", people.ian.id)
    assert caller.roles == {"acme": Role.INSTALLER, "bolt": Role.VIEWER}
    assert not caller.may(Permission.MEMBERS_WRITE, "acme")
    member = people.member("acme", people.ian)
    people.do(lambda tx: remove_member(tx, member, people.ian, actor="eve", now=NOW))
    assert "acme" not in seen(people, token).caller.roles
    people.do(lambda tx: disable_account(tx, people.ian, actor="op", now=NOW))
    assert seen(people, token) is None


def test_the_platforms_key_is_an_operator_within_its_scopes(people):
    order = KeyOrder(title="erp", scopes=[Permission.SALES_WRITE])
    caller = seen(people, made(people, order)[1]).caller
    assert caller.may(Permission.SALES_WRITE, None)
    assert not caller.may(Permission.PLATFORM_OPERATE, None)
    assert not caller.may(Permission.DEVICES_READ, "acme")


def test_the_token_is_not_kept_and_nothing_else_opens(people):
    key, token = made(people)
    rows = repr(people.registry.rows)
    assert token.rpartition("_")[2] not in rows
    assert key.secret_hash not in repr(key)
    other = made(people)[1]
    swapped = f"{key.prefix}_{other.rpartition('_')[2][:43]}"
    wrong = [key.prefix, token[:-1], token + "x", token.upper(), swapped, key.secret_hash, ""]
    assert [text for text in wrong if text != token and seen(people, text)] == []


def test_it_ends_by_time_and_by_hand(people):
    key, token = made(people, replace(ORDER, expires_at=LATER))
    assert seen(people, token, LATER - timedelta(microseconds=1))
    assert seen(people, token, LATER) is None
    other, another = made(people)
    for _ in range(2):
        other = people.do(lambda tx, k=other: revoke_key(tx, k, actor="ann", now=NOW))
    assert seen(people, another) is None
    assert people.stories(Name.API_KEY_REVOKED) == [
        f"API key {other.prefix} ({ORDER.title}) was revoked"
    ]
    assert [event.tenant for event in people.told(Name.API_KEY_MADE)] == ["acme", "acme"]
    assert key.id != other.id


def test_its_use_is_noted_once_an_hour_and_never_revives_it(people):
    key, token = made(people)
    recognised = seen(people, token)
    assert recognised.is_due
    people.do(lambda tx: note_use(tx, recognised, now=NOW))
    assert not seen(people, token, NOW + USE_NOTED_EVERY - timedelta(seconds=1)).is_due
    due = seen(people, token, NOW + USE_NOTED_EVERY)
    assert due.is_due
    people.do(lambda tx: revoke_key(tx, key, actor="eve", now=LATER))
    people.do(lambda tx: note_use(tx, due, now=LATER))
    kept = people.see(lambda tx: tx.api_keys.get(key.id))
    assert (kept.used_at, kept.revoked_at) == (LATER, LATER)


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""}, {"title": "x" * 101}, {"title": "a\nb"}, {"title": "\u202eexe"},
        {"scopes": ()}, {"scopes": [Permission.PLATFORM_OPERATE]},
        {"scopes": [Permission.DEVICES_READ, Permission.SALES_WRITE]}, {"expires_at": NOW},
    ],
)  # fmt: skip
def test_orders_that_make_no_sense_are_refused(people, change):
    with pytest.raises(MalformedError):
        made(people, replace(ORDER, **change))
    assert people.told(Name.API_KEY_MADE) == []


def test_one_holder_has_so_many_valid_keys_at_most(people):
    for _ in range(KEYS_MAX):
        key, _ = made(people)
    with pytest.raises(HomeportError) as caught:
        made(people)
    assert caught.value.code is Code.TRANSITION_ILLEGAL
    people.do(lambda tx: revoke_key(tx, key, actor="eve", now=NOW))
    made(people)


def test_set_up_makes_one_operator_and_only_without_one(people):
    with pytest.raises(HomeportError) as caught:
        people.do(lambda tx: set_up(tx, "root", password_hash="$h", now=NOW))
    assert caught.value.code is Code.SET_UP_ALREADY
    people.registry.rows.accounts.clear()
    account = people.do(lambda tx: set_up(tx, "root", password_hash="$h", now=NOW))
    assert account.is_operator
    assert people.stories(Name.ACCOUNT_ADDED)[-1] == "account root was made (set-up)"


def test_one_name_is_one_account(people):
    with pytest.raises(HomeportError) as caught:
        people.do(lambda tx: add_account(tx, NewAccount(name="eve"), actor="op", now=NOW))
    assert caught.value.code is Code.ALREADY_EXISTS
