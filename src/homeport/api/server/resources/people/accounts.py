# SPDX-License-Identifier: Apache-2.0
"""`/accounts`: everybody's accounts, for the platform's operator."""

from typing import Annotated, Final

from fastapi import APIRouter, Path

from homeport.api.server.ask import Asked, Changed, Posted, needs
from homeport.api.server.paging import Paged, page_of
from homeport.api.wire.members import Invitation, MadeInvitation
from homeport.api.wire.model import Page
from homeport.api.wire.people import Account, AccountChange
from homeport.domain import account
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError
from homeport.provisioning.people.change_account import disable_account, enable_account
from homeport.provisioning.people.invite import offer_new_password
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/accounts", tags=["accounts"])

AccountId = Annotated[str, Path(max_length=64, description="Id of the account.")]


@router.get("", **needs(Permission.PLATFORM_OPERATE))
async def list_accounts(ask: Asked, span: Paged) -> Page[Account]:
    """List the accounts, by name."""
    ask.demand(None, "accounts")
    rows = await ask.read(lambda tx: tx.accounts.page(after=span.after, limit=span.fetch))
    return page_of(rows, span, Account.of, lambda row: row.name)


@router.get("/{account_id}", **needs(Permission.PLATFORM_OPERATE))
async def get_account(account_id: AccountId, ask: Asked) -> Account:
    """Show an account."""
    ask.demand(None, "accounts")

    async def verb(tx: Transaction) -> Account:
        found = await _account(tx, account_id)
        ask.tag(found.is_disabled)
        return Account.of(found)

    return await ask.read(verb)


@router.patch("/{account_id}", **needs(Permission.PLATFORM_OPERATE, 409, 412))
async def change_account(account_id: AccountId, change: AccountChange, ask: Changed) -> Account:
    """Disable an account, which ends its sessions and what it gave out; or let it in again."""
    ask.demand(None, "accounts")
    ask.caller.demand_person("lets people in or keeps them out")

    async def verb(tx: Transaction) -> Account:
        found = await _account(tx, account_id)
        ask.demand_match(found.is_disabled, what=f"account {found.name}")
        work = disable_account if change.is_disabled else enable_account
        changed = await work(tx, found, actor=ask.actor, now=ask.now)
        ask.tag(changed.is_disabled)
        return Account.of(changed)

    return await ask.transact(verb)


@router.post(
    "/{account_id}/new-password", status_code=201, **needs(Permission.PLATFORM_OPERATE, 409)
)
async def offer_a_new_password(account_id: AccountId, ask: Posted) -> MadeInvitation:
    """Give a code with which the person chooses a new password; it is shown this once."""
    ask.demand(None, "accounts")
    ask.caller.demand_person("gives out passwords")

    async def verb(tx: Transaction) -> MadeInvitation:
        found = await _account(tx, account_id)
        invitation, code = await offer_new_password(
            tx, found, maker=ask.caller.answers, actor=ask.actor, now=ask.now
        )
        return MadeInvitation(invitation=Invitation.of(invitation), code=code)

    return await ask.once(MadeInvitation, verb, is_secret=True)


async def _account(tx: Transaction, account_id: str) -> account.Account:
    found = await tx.accounts.get(account_id)
    if found is None:
        raise HomeportError(Code.NOT_FOUND, f"account {account_id}")
    return found
