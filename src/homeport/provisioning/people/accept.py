# SPDX-License-Identifier: Apache-2.0
"""Accept an invitation, once: as the account that is signed in, or with one made for it.

Only whoever has the code gets here, so it may say what it is for.
"""

from dataclasses import replace
from datetime import datetime

from homeport.domain.account import Account
from homeport.domain.membership import Invitation, Purpose, Settled
from homeport.domain.tokens import hash_token
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.people.add_account import NewAccount, add_account
from homeport.provisioning.people.change_account import change_password
from homeport.provisioning.people.members import join
from homeport.provisioning.ports import Transaction


async def find_open(tx: Transaction, code: str, *, now: datetime) -> Invitation:
    """Return what the code is for; HomeportError(INVITATION_UNKNOWN) if it does not work."""
    invitation = await tx.invitations.with_code(hash_token(code))
    if invitation is None or not invitation.is_open(now):
        raise HomeportError(Code.INVITATION_UNKNOWN)
    return invitation


async def find_acceptable(
    tx: Transaction, code: str, *, account: Account | None, now: datetime
) -> Invitation:
    """Return what the code is for if `account`, or a new one (None), may accept it now.

    HomeportError(INVITATION_UNKNOWN), SIGN_IN_REFUSED if the account is disabled by now, or
    ALREADY_EXISTS if the invited name has an account: it signs in first.
    """
    invitation = await find_open(tx, code, now=now)
    if invitation.purpose is Purpose.PASSWORD:
        await _whose_password(tx, invitation)
    elif account is not None:
        await _present(tx, account)
    elif await tx.accounts.named(invitation.name) is not None:
        detail = f"{invitation.name} has an account: sign in with it, then accept"
        raise HomeportError(Code.ALREADY_EXISTS, detail)
    return invitation


async def accept_invitation(
    tx: Transaction,
    code: str,
    *,
    account: Account | None = None,
    password_hash: str | None = None,
    way: str = "invitation",
    now: datetime,
) -> Account:
    """Accept as `account`, or make the one that was invited; return who joined.

    A code for a new password changes that account's and ends its sessions. Refuses as
    `find_acceptable` does.
    """
    invitation = await find_acceptable(tx, code, account=account, now=now)
    await tx.invitations.put(replace(invitation, settled=Settled.ACCEPTED, settled_at=now))
    if invitation.purpose is Purpose.PASSWORD:
        return await _choose_password(tx, invitation, password_hash, now)
    if account is None:
        wanted = NewAccount(name=invitation.name, password_hash=password_hash, way=way)
        account = await add_account(tx, wanted, actor=invitation.name, now=now)
    else:
        account = await _present(tx, account)
    if invitation.purpose is Purpose.OPERATOR:
        account = replace(account, is_operator=True)
        await tx.accounts.put(account)
    await join(tx, invitation, account, now=now)
    return account


async def _present(tx: Transaction, account: Account) -> Account:
    # Read anew: it may have been disabled since, and must not come back.
    present = await tx.accounts.get(account.id)
    if present is None or present.is_disabled:
        raise HomeportError(Code.SIGN_IN_REFUSED, f"{account.name} is disabled")
    return present


async def _whose_password(tx: Transaction, invitation: Invitation) -> Account:
    account = await tx.accounts.get(invitation.account or "")
    if account is None or account.is_disabled:
        raise HomeportError(Code.INVITATION_UNKNOWN, f"account {invitation.name} is disabled")
    return account


async def _choose_password(
    tx: Transaction, invitation: Invitation, password_hash: str | None, now: datetime
) -> Account:
    account = await _whose_password(tx, invitation)
    if password_hash is None:
        raise MalformedError("password: is needed to choose a new one")
    return await change_password(tx, account, password_hash, actor=account.name, now=now)
