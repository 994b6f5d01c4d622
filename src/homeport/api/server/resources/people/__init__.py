# SPDX-License-Identifier: Apache-2.0
"""The resources about people and their programs."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from homeport.api.server.resources.people import (
    account,
    accounts,
    api_keys,
    invitations,
    members,
    oidc,
    own_keys,
    session,
    set_up,
)

ROUTERS: Final[Sequence[APIRouter]] = (
    set_up.router,
    session.router,
    oidc.router,
    account.router,
    own_keys.router,
    accounts.router,
    members.router,
    invitations.router,
    api_keys.router,
)
