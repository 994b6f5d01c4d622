# SPDX-License-Identifier: Apache-2.0
"""Sessions begin, are recognised, and end: by time, by hand, with password and account."""

from dataclasses import replace
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from fakes.in_loop import in_loop
from fakes.people import LATER, NOW, PASSWORD, QUICK, People, quick_passwords
from homeport.domain.audit import Name
from homeport.domain.people import Role
from homeport.domain.session import PROGRAM_MAX, Lifetimes
from homeport.errors import Code, HomeportError
from homeport.provisioning.people.change_account import (
    change_password,
    disable_account,
    enable_account,
)
from homeport.provisioning.people.recognise import by_session, note_use
from homeport.provisioning.people.sessions import (
    SESSIONS_MAX,
    Visit,
    end_sessions,
    note_refused,
    start_session,
)

LIFETIMES = Lifetimes(idle=timedelta(hours=2), absolute=timedelta(hours=10))
VISIT = Visit(source="10.0.0.1", program="Browser\n\x1b[31m" + "x" * 500, way="password")


@pytest.fixture
def people() -> People:
    return People()


def start(people, account, now=NOW, **more):
    return people.do(
        lambda tx: start_session(tx, account, VISIT, lifetimes=LIFETIMES, now=now, **more)
    )


def seen(people, token, now=NOW):
    return people.see(lambda tx: by_session(tx, token, lifetimes=LIFETIMES, now=now))


def refused(code, people, verb):
    with pytest.raises(HomeportError) as caught:
        people.do(verb)
    assert caught.value.code is code


def test_a_session_is_recognised_with_the_roles_of_the_moment(people):
    session, token = start(people, people.ian)
    recognised = seen(people, token)
    assert recognised.session == session
    assert recognised.caller.account == people.ian.id
    assert recognised.caller.roles == {"acme": Role.INSTALLER, "bolt": Role.VIEWER}
    assert not recognised.caller.is_operator
    people.join("acme", people.ian, Role.ENGINEER)
    assert seen(people, token).caller.roles["acme"] is Role.ENGINEER


def test_the_token_is_not_kept_and_each_sign_in_has_its_own(people):
    session, token = start(people, people.eve)
    other, another = start(people, people.eve)
    assert token != another
    assert token not in repr(people.registry.rows)
    assert session.token_hash not in repr(session)
    assert seen(people, session.token_hash) is None
    assert seen(people, session.id) is None
    assert len(other.program) == PROGRAM_MAX
    assert other.program.isprintable()


def test_it_ends_when_idle_and_at_a_fixed_age(people):
    _, token = start(people, people.eve)
    now = NOW
    assert seen(people, token, NOW + LIFETIMES.idle) is None
    while (now := now + timedelta(hours=1, minutes=30)) < NOW + LIFETIMES.absolute:
        recognised = seen(people, token, now)
        assert recognised.is_due
        people.do(lambda tx, r=recognised, at=now: note_use(tx, r, now=at))
        assert not seen(people, token, now).is_due
    assert seen(people, token, NOW + LIFETIMES.absolute) is None


def test_noting_the_use_of_an_ended_session_does_not_bring_it_back(people):
    _, token = start(people, people.eve)
    recognised = seen(people, token)
    people.do(lambda tx: end_sessions(tx, people.eve, actor="eve", now=NOW))
    people.do(lambda tx: note_use(tx, recognised, now=NOW))
    assert seen(people, token) is None


def test_one_of_ones_own_sessions_is_ended_or_all_others(people):
    first, one = start(people, people.eve)
    second, two = start(people, people.eve)
    _, three = start(people, people.eve)
    _, annes = start(people, people.ann)
    people.do(lambda tx: end_sessions(tx, people.eve, only=first.id, actor="eve", now=NOW))
    assert seen(people, one) is None
    assert seen(people, two)
    assert people.do(lambda tx: end_sessions(tx, people.eve, but=second, actor="eve", now=NOW)) == 1
    assert seen(people, three) is None
    assert seen(people, two)
    assert seen(people, annes)


def test_nobody_ends_a_session_of_somebody_else(people):
    session, token = start(people, people.eve)
    refused(
        Code.NOT_FOUND,
        people,
        lambda tx: end_sessions(tx, people.ann, only=session.id, actor="ann", now=NOW),
    )
    assert seen(people, token)


def test_dead_and_too_many_sessions_make_room(people):
    start(people, people.eve)
    later = NOW + LIFETIMES.absolute
    tokens = [start(people, people.eve, later + timedelta(seconds=n))[1] for n in range(25)]
    sessions = people.see(lambda tx: tx.sessions.of_account(people.eve.id))
    assert len(sessions) == SESSIONS_MAX
    at = later + timedelta(minutes=1)
    assert [bool(seen(people, token, at)) for token in tokens] == [False] * 5 + [True] * 20


def test_a_changed_password_ends_all_other_sessions(people):
    mine, token = start(people, people.eve)
    _, other = start(people, people.eve)
    people.do(lambda tx: change_password(tx, people.eve, "$new", but=mine, actor="eve", now=LATER))
    assert seen(people, token)
    assert seen(people, other) is None
    assert people.stories(Name.PASSWORD_CHANGED) == [
        "the password of eve was changed, 1 sessions ended"
    ]


def test_a_sign_in_that_overlaps_a_change_of_password_is_refused(people):
    people.do(lambda tx: change_password(tx, people.eve, "$new", actor="eve", now=NOW))
    with pytest.raises(HomeportError) as caught:
        start(people, people.eve)
    assert caught.value.code is Code.SIGN_IN_REFUSED
    refused(
        Code.SIGN_IN_REFUSED,
        people,
        lambda tx: change_password(tx, people.eve, "$newer", actor="eve", now=NOW),
    )


def test_who_is_disabled_is_out_at_once_and_comes_back_without_sessions(people):
    _, token = start(people, people.eve)
    people.do(lambda tx: disable_account(tx, people.eve, actor="op", now=NOW))
    assert seen(people, token) is None
    with pytest.raises(HomeportError):
        start(people, people.now_is(people.eve))
    disabled = people.now_is(people.eve)
    people.do(lambda tx: enable_account(tx, disabled, actor="op", now=LATER))
    assert seen(people, token) is None
    assert start(people, people.now_is(people.eve))


def test_the_last_operator_stays(people):
    refused(Code.LAST_ADMIN, people, lambda tx: disable_account(tx, people.op, actor="op", now=NOW))
    people.account("op2", is_operator=True)
    people.do(lambda tx: disable_account(tx, people.op, actor="op2", now=NOW))


def test_a_better_hash_is_kept(people):
    start(people, people.eve, password_hash="$better")
    assert people.now_is(people.eve).password_hash == "$better"


def test_a_name_that_nobody_has_is_not_written_down(people):
    people.do(lambda tx: note_refused(tx, None, source="10.0.0.9", reason="password", now=NOW))
    people.do(
        lambda tx: note_refused(tx, people.eve, source="10.0.0.9", reason="password", now=NOW)
    )
    assert people.stories(Name.SESSION_REFUSED) == [
        "a sign-in as nobody known from 10.0.0.9 was refused: password",
        "a sign-in as eve from 10.0.0.9 was refused: password",
    ]
    assert all(event.tenant is None for event in people.told(Name.SESSION_REFUSED))


@in_loop
async def test_passwords_are_told_apart_and_nobodys_never_fits():
    passwords = quick_passwords()
    kept = await passwords.hash(PASSWORD)
    assert kept.startswith("$argon2id$")
    assert kept != await passwords.hash(PASSWORD)
    assert await passwords.is_right(kept, PASSWORD)
    assert not await passwords.is_right(kept, PASSWORD + "x")
    assert not await passwords.is_right(None, "nobody's")
    assert not await passwords.is_right("no hash at all", PASSWORD)
    passwords.close()


def test_nobodys_hash_costs_as_much_as_anybodys():
    nobodys = quick_passwords()._nobodys
    assert nobodys.rsplit("$", 2)[0] == QUICK.hash("x").rsplit("$", 2)[0]  # the same parameters
    with pytest.raises(VerifyMismatchError):  # and not InvalidHashError, which costs nothing
        QUICK.verify(nobodys, "nobody's")


def test_a_hash_of_other_parameters_is_weak():
    assert not quick_passwords().is_weak(QUICK.hash("x"))
    other = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    assert quick_passwords().is_weak(other.hash("x"))


def test_lifetimes_are_compared_exactly(people):
    session, _ = start(people, people.eve)
    assert not session.is_alive(NOW + LIFETIMES.idle, LIFETIMES)
    moved = replace(session, seen_at=NOW + timedelta(hours=9))
    assert not moved.is_alive(NOW + LIFETIMES.absolute, LIFETIMES)
