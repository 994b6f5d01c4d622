# SPDX-License-Identifier: Apache-2.0
"""How many streams a caller, a person with all keys, and a tenant may have."""

from contextlib import ExitStack

import pytest

from fakes.clock import TurnedClock
from fakes.registry import FakeRegistry
from homeport.api.server.event_hub import (
    OF_ALL,
    OF_ONE_ACCOUNT,
    OF_ONE_CALLER,
    OF_ONE_TENANT,
    EventHub,
)
from homeport.domain.people import Caller, Role
from homeport.errors import Code, HomeportError


@pytest.fixture
def hub():
    return EventHub(FakeRegistry(), TurnedClock())


@pytest.fixture
def opened():
    with ExitStack() as stack:
        yield stack


def key(number, maker=None, tenant="acme"):
    return Caller(actor=f"key hpk_{number}", answers=maker, roles={tenant: Role.ADMIN})


def fill(hub, opened, callers, most=OF_ALL):
    """Open what is given, for one caller after the other; say how many that were."""
    for caller in callers:
        for _ in range(most):
            try:
                opened.enter_context(hub.stream(caller))
            except HomeportError as error:
                if error.code is not Code.TOO_MANY_REQUESTS:
                    raise
                break
    return hub.open


def test_one_caller(hub, opened):
    assert fill(hub, opened, [key(1)]) == OF_ONE_CALLER
    with pytest.raises(HomeportError) as caught, hub.stream(key(1)):
        pass
    assert caught.value.retry_after is not None


def test_one_person_with_all_keys(hub, opened):
    keys = [key(n, "1", tenant) for n in range(20) for tenant in ("acme", "bolt")]
    assert fill(hub, opened, keys) == OF_ONE_ACCOUNT
    person = Caller(actor="eve", account="1", answers="1", is_operator=True)
    assert fill(hub, opened, [person]) == OF_ONE_ACCOUNT
    assert fill(hub, opened, [key("other", "2")]) == OF_ONE_ACCOUNT + OF_ONE_CALLER


def test_tenants_with_a_hundred_keys_leave_the_others_theirs(hub, opened):
    keys = [key(f"{tenant}{n}", None, tenant) for n in range(100) for tenant in ("acme", "bolt")]
    assert fill(hub, opened, keys) == 2 * OF_ONE_TENANT
    assert fill(hub, opened, [key(1, None, "corp")]) == 2 * OF_ONE_TENANT + OF_ONE_CALLER


def test_all_together(hub, opened):
    keys = [key(n, None, f"t{n}") for n in range(OF_ALL // OF_ONE_CALLER + 9)]
    assert fill(hub, opened, keys) == OF_ALL


def test_all_come_back_and_nothing_of_them_stays(hub):
    for _ in range(3):
        with ExitStack() as opened:
            assert fill(hub, opened, [key(1, "1")]) == OF_ONE_CALLER
        assert hub.open == 0
    assert not hub._streams
