# SPDX-License-Identifier: Apache-2.0
"""What accepting an invitation costs: a hash only where it may lead somewhere."""

import asyncio
import threading
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from fakes.in_loop import in_loop
from fakes.people import LATER, NOW, PASSWORD, QUICK
from fakes.people_site import PeopleSite, code_of, document
from homeport.domain.membership import Purpose
from homeport.domain.people import Role
from homeport.errors import Code, HomeportError
from homeport.provisioning.people.accept import accept_invitation
from homeport.provisioning.people.change_account import disable_account
from homeport.provisioning.people.invite import Guest, invite
from homeport.provisioning.people.passwords import CHOOSING_MAX, Passwords

NEW = "some other four words"


@pytest.fixture
def site(tmp_path):
    with asyncio.Runner() as runner:
        yield PeopleSite(tmp_path, runner)


def invited(site, name):
    said = {"name": name, "role": "viewer"}
    answer = site.signed_in("eve").ask("POST", "/tenants/acme/invitations", said)
    return document(answer)["code"]


def accept(site, code, address="192.0.2.1"):
    said = {"code": code, "password": NEW}
    return site.browser(address).ask("POST", "/invitations/accept", said)


class Hashless:
    """Says that there is no time for a hash."""

    async def hash(self, _password):
        raise AssertionError("a hash was made")


def test_for_a_name_that_is_taken_nothing_is_hashed(site):
    code = invited(site, "ann")
    object.__setattr__(site.app.state.parts.sign_in, "passwords", Hashless())
    for _ in range(3):
        assert code_of(accept(site, code)) == "already-exists"


def test_one_code_is_worth_few_hashes_wherever_it_is_sent_from(site, monkeypatch):
    code = invited(site, "new")

    async def full(_verb):
        raise HomeportError(Code.STORAGE_UNAVAILABLE)

    transact = site.people.registry.transact
    monkeypatch.setattr(site.people.registry, "transact", full)
    codes = [code_of(accept(site, code, f"192.0.2.{n}")) for n in range(7)]
    assert codes == ["storage-unavailable"] * 5 + ["too-many-requests"] * 2
    monkeypatch.setattr(site.people.registry, "transact", transact)
    site.clock.turn(timedelta(minutes=1))
    assert accept(site, code).status == 201


class SlowHasher(PasswordHasher):
    """Makes no hash before `gate` opens; checks at once."""

    def __init__(self):
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.gate = threading.Event()

    def hash(self, password, *, salt=None):
        assert self.gate.wait(10)
        return super().hash(password, salt=salt)


@in_loop
async def test_who_chooses_a_password_holds_up_nobody_who_signs_in():
    hasher = SlowHasher()
    passwords = Passwords(hasher)
    async with asyncio.TaskGroup() as group:
        for _ in range(CHOOSING_MAX):
            group.create_task(passwords.hash(NEW))
        await asyncio.sleep(0)
        with pytest.raises(HomeportError) as caught:
            await passwords.hash(NEW)
        assert await passwords.is_right(QUICK.hash(PASSWORD), PASSWORD)
        hasher.gate.set()
    assert caught.value.code is Code.TOO_MANY_REQUESTS
    passwords.close()


def test_what_happened_to_the_account_meanwhile_stays(site):
    people = site.people
    guest = Guest(name="op2", purpose=Purpose.OPERATOR)
    _, code = people.do(lambda tx: invite(tx, guest, actor="op", now=NOW))
    read_before = people.ian
    people.do(lambda tx: disable_account(tx, read_before, actor="op", now=NOW))
    with pytest.raises(HomeportError) as caught:
        people.do(lambda tx: accept_invitation(tx, code, account=read_before, now=LATER))
    assert caught.value.code is Code.SIGN_IN_REFUSED
    assert people.now_is(read_before).is_disabled
    assert not people.now_is(read_before).is_operator
    assert people.member("acme", read_before).role is Role.INSTALLER
