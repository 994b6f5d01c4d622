# SPDX-License-Identifier: Apache-2.0
"""`/set-up`: the first operator's account, once."""

from typing import Final

from fastapi import APIRouter

from homeport.api.server.resources.people.stranger import AnyBody, open_to_all
from homeport.api.wire.people import SetUp, SetUpState, SignedIn
from homeport.domain.account import check_password, check_sign_in_name
from homeport.errors import Code, HomeportError
from homeport.provisioning.people import add_account
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/set-up", tags=["set-up"])


@router.get("", **open_to_all())
async def get_set_up(stranger: AnyBody) -> SetUpState:
    """Say whether the platform waits for its first operator."""
    return SetUpState(is_needed=await stranger.read(_is_needed))


@router.post("", status_code=201, **open_to_all(409, 422))
async def set_up(given: SetUp, stranger: AnyBody) -> SignedIn:
    """Make the first operator's account with the code from the data directory, and sign in."""
    if not await stranger.read(_is_needed):
        raise HomeportError(Code.SET_UP_ALREADY)
    stranger.people.set_up.demand(given.code.get_secret_value())
    name = check_sign_in_name(given.name)
    password = check_password(given.password.get_secret_value(), name)
    hashed = await stranger.people.passwords.hash(password)
    account = await stranger.transact(
        lambda tx: add_account.set_up(tx, name, password_hash=hashed, now=stranger.now)
    )
    stranger.people.set_up.withdraw()
    return await stranger.admit(account, "set-up")


async def _is_needed(tx: Transaction) -> bool:
    return not await tx.accounts.operators()
