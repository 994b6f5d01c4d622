# SPDX-License-Identifier: Apache-2.0
"""Who gets into a tenant, as what, and how one is out again with all that one gave out."""

from datetime import timedelta

import pytest

from fakes.people import LATER, NOW, People
from homeport.domain.audit import Name
from homeport.domain.membership import Purpose
from homeport.domain.people import Permission, Role
from homeport.domain.session import Lifetimes
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.people.accept import accept_invitation, find_open
from homeport.provisioning.people.api_keys import KeyOrder, make_key
from homeport.provisioning.people.change_account import disable_account
from homeport.provisioning.people.identities import link_identity, unlink_identity
from homeport.provisioning.people.invite import Guest, invite, offer_new_password, revoke_invitation
from homeport.provisioning.people.members import change_role, remove_member
from homeport.provisioning.people.recognise import by_key, by_session
from homeport.provisioning.people.sessions import Visit, start_session
from homeport.provisioning.people.tenants import change_tenant, found_tenant


@pytest.fixture
def people() -> People:
    return People()


def invited(people, name="new", role=Role.ENGINEER, actor="eve", tenant="acme", **more):
    maker = id_of(people, actor)
    guest = Guest(name=name, purpose=Purpose.MEMBER, tenant=tenant, role=role, maker=maker)
    return people.do(lambda tx: invite(tx, guest, actor=actor, now=NOW, **more))


def id_of(people, name):
    return people.see(lambda tx: tx.accounts.named(name)).id


def accepted(people, code, now=NOW, **more):
    return people.do(lambda tx: accept_invitation(tx, code, now=now, **more))


def refused(code, work, *arguments, **more):
    with pytest.raises(HomeportError) as caught:
        work(*arguments, **more)
    assert caught.value.code is code
    return caught.value


def test_a_stranger_accepts_and_gets_an_account_of_the_invited_name(people):
    invitation, code = invited(people)
    assert code not in repr(people.registry.rows)
    assert invitation.code_hash not in repr(invitation)
    account = accepted(people, code, password_hash="$h")
    assert (account.name, account.is_operator) == ("new", False)
    assert people.member("acme", account).role is Role.ENGINEER
    assert people.stories(Name.INVITATION_MADE, Name.MEMBER_JOINED) == [
        "new was invited (member engineer)", "new joined as engineer",
    ]  # fmt: skip
    assert {event.tenant for event in people.told(Name.MEMBER_JOINED)} == {"acme"}


def test_an_invitation_is_used_once(people):
    _, code = invited(people)
    accepted(people, code, password_hash="$h")
    refused(Code.INVITATION_UNKNOWN, accepted, people, code, account=people.ian)
    assert people.member("acme", people.ian).role is Role.INSTALLER


def test_two_who_accept_at_once_are_one_after_the_other(people):
    _, code = invited(people, role=Role.ADMIN)

    async def both(tx):
        await accept_invitation(tx, code, account=people.ian, now=NOW)
        await accept_invitation(tx, code, account=people.op, now=NOW)

    refused(Code.INVITATION_UNKNOWN, people.do, both)
    assert people.member("acme", people.op) is None
    assert people.member("acme", people.ian).role is Role.INSTALLER  # all of it was undone


@pytest.mark.parametrize("code", ["", "x", "é", "a" * 43])
def test_a_guessed_code_is_unknown(people, code):
    invited(people)
    refused(Code.INVITATION_UNKNOWN, accepted, people, code, password_hash="$h")


def test_an_invitation_expires_and_can_be_revoked(people):
    _, late = invited(people, lifetime=timedelta(minutes=5))
    refused(Code.INVITATION_UNKNOWN, accepted, people, late, now=LATER, password_hash="$h")
    invitation, code = invited(people)
    revoked = people.do(lambda tx: revoke_invitation(tx, invitation, actor="ann", now=NOW))
    refused(Code.INVITATION_UNKNOWN, accepted, people, code, password_hash="$h")
    with pytest.raises(HomeportError):
        people.do(lambda tx: revoke_invitation(tx, revoked, actor="ann", now=NOW))
    assert people.stories(Name.INVITATION_REVOKED) == ["the invitation of new was revoked"]


def test_what_is_shown_of_a_code_is_what_it_is_for(people):
    invitation, code = invited(people)
    assert people.see(lambda tx: find_open(tx, code, now=NOW)) == invitation


def test_who_has_an_account_of_that_name_signs_in_first(people):
    _, code = invited(people, name="ian", role=Role.ENGINEER)
    error = refused(Code.ALREADY_EXISTS, accepted, people, code, password_hash="$mallory")
    assert "sign in" in error.detail
    accepted(people, code, account=people.ian)
    assert people.member("acme", people.ian).role is Role.ENGINEER
    assert people.now_is(people.ian).password_hash == people.ian.password_hash


def test_accepting_less_than_one_has_takes_nothing_away(people):
    _, code = invited(people, name="ann", role=Role.VIEWER)
    accepted(people, code, account=people.ann)
    assert people.member("acme", people.ann).role is Role.ADMIN


def test_an_operator_is_invited_too(people):
    guest = Guest(name="op2", purpose=Purpose.OPERATOR)
    _, code = people.do(lambda tx: invite(tx, guest, actor="op", now=NOW))
    assert accepted(people, code, password_hash="$h").is_operator
    assert people.see(lambda tx: tx.accounts.operators()) == 2


def test_a_forgotten_password_is_chosen_anew_and_ends_the_sessions(people):
    visit = Visit(source="s", program="p", way="password")
    lifetimes = Lifetimes()
    _, token = people.do(
        lambda tx: start_session(tx, people.eve, visit, lifetimes=lifetimes, now=NOW)
    )
    _, code = people.do(lambda tx: offer_new_password(tx, people.eve, actor="op", now=NOW))
    with pytest.raises(MalformedError):
        accepted(people, code)
    accepted(people, code, password_hash="$chosen")
    assert people.now_is(people.eve).password_hash == "$chosen"
    assert people.see(lambda tx: by_session(tx, token, lifetimes=lifetimes, now=NOW)) is None
    refused(Code.INVITATION_UNKNOWN, accepted, people, code, password_hash="$again")


def test_a_code_for_a_new_password_ends_soon_and_with_the_account(people):
    _, code = people.do(lambda tx: offer_new_password(tx, people.eve, actor="op", now=NOW))
    refused(Code.INVITATION_UNKNOWN, accepted, people, code, now=LATER, password_hash="$h")
    people.do(lambda tx: disable_account(tx, people.eve, actor="op", now=NOW))
    refused(Code.INVITATION_UNKNOWN, accepted, people, code, password_hash="$h")


@pytest.mark.parametrize("name", ["", "New", "a b", "x\n"])
def test_nobody_is_invited_under_a_name_that_cannot_be(people, name):
    with pytest.raises(MalformedError):
        invited(people, name=name)


def test_nobody_is_invited_to_nothing(people):
    refused(Code.TENANT_UNKNOWN, invited, people, tenant="nowhere")


def change(people, account, role, actor="eve"):
    member = people.member("acme", account)
    return people.do(lambda tx: change_role(tx, member, account, role, actor=actor, now=NOW))


def remove(people, account, actor="eve"):
    member = people.member("acme", account)
    people.do(lambda tx: remove_member(tx, member, account, actor=actor, now=NOW))


def test_the_last_admin_is_neither_removed_nor_demoted(people):
    remove(people, people.ann)
    refused(Code.LAST_ADMIN, remove, people, people.eve)
    refused(Code.LAST_ADMIN, change, people, people.eve, Role.ENGINEER)
    assert people.member("acme", people.eve).role is Role.ADMIN


def test_an_admin_who_cannot_sign_in_does_not_count(people):
    people.do(lambda tx: disable_account(tx, people.ann, actor="op", now=NOW))
    refused(Code.LAST_ADMIN, remove, people, people.eve)
    people.do(
        lambda tx: remove_member(
            tx, people.registry.rows.members["acme", people.ann.id],
            people.registry.rows.accounts[people.ann.id], actor="eve", now=NOW,
        )
    )  # fmt: skip
    assert people.member("acme", people.ann) is None


def test_a_role_is_changed_and_told_to_its_tenant(people):
    assert change(people, people.ian, Role.ENGINEER).role is Role.ENGINEER
    change(people, people.ian, Role.ENGINEER)
    assert people.stories(Name.MEMBER_CHANGED) == ["ian is engineer now, was installer"]
    assert people.member("bolt", people.ian).role is Role.VIEWER


def key_of(people, maker, tenant="acme"):
    order = KeyOrder(
        title="erp", scopes=[Permission.DEVICES_READ], tenant=tenant, maker=id_of(people, maker)
    )
    return people.do(lambda tx: make_key(tx, order, actor=maker, now=NOW))[1]


def works(people, token):
    return people.see(lambda tx: by_key(tx, token, now=NOW)) is not None


@pytest.mark.parametrize("way", ["removed", "demoted", "disabled"])
def test_who_is_no_admin_any_more_takes_no_key_and_no_invitation_along(people, way):
    anns, eves = key_of(people, "ann"), key_of(people, "eve")
    bolts = key_of(people, "ann", "bolt")
    _, annes_code = invited(people, actor="ann", name="friend", role=Role.ADMIN)
    _, eves_code = invited(people, actor="eve", name="other")
    match way:
        case "removed":
            remove(people, people.ann)
        case "demoted":
            change(people, people.ann, Role.VIEWER)
        case _:
            people.do(lambda tx: disable_account(tx, people.ann, actor="op", now=NOW))
    assert not works(people, anns)
    assert works(people, eves)
    assert works(people, bolts) is (way != "disabled")  # a tenant that she does not leave
    refused(Code.INVITATION_UNKNOWN, accepted, people, annes_code, password_hash="$h")
    assert accepted(people, eves_code, password_hash="$h")


def test_an_operator_who_is_disabled_takes_no_platform_key_along(people):
    other = people.account("op2", is_operator=True)
    token = key_of(people, "op2", tenant=None)
    people.do(lambda tx: disable_account(tx, other, actor="op", now=NOW))
    assert not works(people, token)


def test_a_person_founds_one_tenant_and_is_its_admin(people):
    new = people.account("new")
    tenant = people.do(lambda tx: found_tenant(tx, new, "mine", title="Mine", now=NOW))
    assert (tenant.name, tenant.default_upstream) == ("mine", "here")
    assert people.member("mine", new).role is Role.ADMIN
    refused(
        Code.ALREADY_EXISTS, people.do, lambda tx: found_tenant(tx, new, "more", title="", now=NOW)
    )
    refused(
        Code.ALREADY_EXISTS,
        people.do,
        lambda tx: found_tenant(tx, people.ian, "mine", title="", now=NOW),
    )


@pytest.mark.parametrize("way", ["left", "demoted"])
def test_who_leaves_a_founded_tenant_to_another_founds_no_second(people, way):
    new = people.account("new")
    people.do(lambda tx: found_tenant(tx, new, "mine", title="", now=NOW))
    people.join("mine", people.ann, Role.ADMIN)
    member = people.member("mine", new)
    if way == "left":
        people.do(lambda tx: remove_member(tx, member, new, actor="new", now=NOW))
    else:
        people.do(lambda tx: change_role(tx, member, new, Role.VIEWER, actor="ann", now=NOW))
    present = people.now_is(new)
    refused(
        Code.ALREADY_EXISTS,
        people.do,
        lambda tx: found_tenant(tx, present, "more", title="", now=NOW),
    )
    assert people.see(lambda tx: tx.tenants.get("more")) is None


def test_a_tenant_changes_title_and_upstream_that_is_there(people):
    acme = people.see(lambda tx: tx.tenants.get("acme"))
    refused(
        Code.UPSTREAM_UNKNOWN,
        people.do,
        lambda tx: change_tenant(tx, acme, title="A", upstream="none", actor="eve", now=NOW),
    )
    for _ in range(2):
        acme = people.do(
            lambda tx, acme=acme: change_tenant(
                tx, acme, title="Acme SE", upstream="here", actor="eve", now=NOW
            )
        )
    assert people.stories(Name.TENANT_CHANGED) == [
        "tenant acme: title Acme SE, default upstream here"
    ]


def link(people, account, subject="42"):
    return people.do(
        lambda tx: link_identity(
            tx, account, issuer="https://id", subject=subject, actor=account.name, now=NOW
        )
    )


def test_an_identity_is_linked_once_and_to_one_account(people):
    identity = link(people, people.eve)
    assert link(people, people.eve) == identity
    refused(Code.ALREADY_EXISTS, link, people, people.ann)
    people.do(lambda tx: unlink_identity(tx, people.eve, identity, actor="eve", now=NOW))
    assert link(people, people.ann).account == people.ann.id
    assert len(people.told(Name.IDENTITY_LINKED)) == 2


def test_nobody_locks_themselves_out(people):
    _, code = invited(people)
    new = accepted(people, code, way="provider")
    identity = link(people, new)
    refused(
        Code.TRANSITION_ILLEGAL,
        people.do,
        lambda tx: unlink_identity(tx, new, identity, actor="new", now=NOW),
    )
    refused(
        Code.NOT_FOUND,
        people.do,
        lambda tx: unlink_identity(tx, people.eve, identity, actor="eve", now=NOW),
    )
    link(people, new, "43")
    people.do(lambda tx: unlink_identity(tx, new, identity, actor="new", now=NOW))
