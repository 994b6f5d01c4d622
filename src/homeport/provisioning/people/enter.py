# SPDX-License-Identifier: Apache-2.0
"""Enter as whoever one is at an OpenID provider.

The account is found by (issuer, subject) and nothing else: an e-mail address that looks the same
proves nothing. Who is not known yet comes in by an invitation, or, where the platform lets
everybody found a tenant, with an account that belongs nowhere so far.
"""

from dataclasses import dataclass
from datetime import datetime

from homeport.domain.account import Account, check_sign_in_name, new_account_id
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.people.accept import accept_invitation
from homeport.provisioning.people.add_account import NewAccount, add_account
from homeport.provisioning.people.identities import link_identity
from homeport.provisioning.ports import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Somebody whom the provider vouches for."""

    issuer: str
    subject: str
    suggested_name: str | None
    """For a new account; never to find one."""
    invitation: str | None
    """A code to be accepted."""
    is_welcome: bool
    """Whether also who is not invited gets an account."""


async def enter(tx: Transaction, arrival: Arrival, *, now: datetime) -> Account:
    """Return the account; HomeportError(PERSON_UNKNOWN, INVITATION_UNKNOWN, SIGN_IN_REFUSED)."""
    identity = await tx.identities.get(arrival.issuer, arrival.subject)
    if identity is not None:
        account = await tx.accounts.get(identity.account)
        if account is None or account.is_disabled:
            raise HomeportError(Code.SIGN_IN_REFUSED, "the account is disabled")
        if arrival.invitation:
            account = await accept_invitation(tx, arrival.invitation, account=account, now=now)
        return account
    if arrival.invitation:
        account = await accept_invitation(tx, arrival.invitation, way="provider", now=now)
    elif arrival.is_welcome:
        wanted = NewAccount(name=await _free_name(tx, arrival.suggested_name), way="provider")
        account = await add_account(tx, wanted, actor=wanted.name, now=now)
    else:
        raise HomeportError(Code.PERSON_UNKNOWN, f"{arrival.subject} of {arrival.issuer}")
    await link_identity(
        tx,
        account,
        issuer=arrival.issuer,
        subject=arrival.subject,
        actor=account.name,
        now=now,
    )
    return account


async def _free_name(tx: Transaction, suggested: str | None) -> str:
    try:
        name = check_sign_in_name(suggested or "")
    except MalformedError:
        name = ""
    if name and await tx.accounts.named(name) is None:
        return name
    return f"person-{new_account_id()}"
