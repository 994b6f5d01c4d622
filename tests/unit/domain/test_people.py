# SPDX-License-Identifier: Apache-2.0
"""Roles grow one by one, count in their tenant only, and keys are never more than their maker."""

from itertools import pairwise

import pytest

from homeport.domain.people import PERMISSIONS, Caller, Permission, Role
from homeport.errors import Code, HomeportError

ACME_ENGINEER = Caller(actor="eve", account="1", roles={"acme": Role.ENGINEER})


def test_each_role_may_all_that_the_one_before_it_may() -> None:
    assert all(PERMISSIONS[less] < PERMISSIONS[more] for less, more in pairwise(Role))


def test_no_role_of_a_tenant_operates_the_platform() -> None:
    assert all(Permission.PLATFORM_OPERATE not in allowed for allowed in PERMISSIONS.values())


@pytest.mark.parametrize("permission", list(Permission))
def test_a_role_counts_in_its_tenant_only(permission: Permission) -> None:
    assert not ACME_ENGINEER.may(permission, "globex")
    assert not ACME_ENGINEER.may(permission, None)
    assert ACME_ENGINEER.may(permission, "acme") is (permission in PERMISSIONS[Role.ENGINEER])


def test_the_operator_may_everything_but_what_its_key_leaves_out() -> None:
    assert all(Caller(actor="op", is_operator=True).may(each, None) for each in Permission)
    key = Caller(actor="key x", is_operator=True, scopes=frozenset({Permission.DEVICES_READ}))
    assert key.may(Permission.DEVICES_READ, "acme")
    assert not key.may(Permission.PLATFORM_OPERATE, None)


def test_what_is_not_theirs_does_not_exist_and_what_is_names_the_role() -> None:
    ACME_ENGINEER.demand(Permission.DEVICES_OPERATE, "acme", "device X")
    with pytest.raises(HomeportError) as hidden:
        ACME_ENGINEER.demand(Permission.DEVICES_READ, "globex", "device X")
    assert hidden.value.code is Code.NOT_FOUND
    with pytest.raises(HomeportError) as refused:
        ACME_ENGINEER.demand(Permission.DEVICES_TRANSFER, "acme", "device X")
    assert refused.value.code is Code.ROLE_INSUFFICIENT
