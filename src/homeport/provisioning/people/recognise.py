# SPDX-License-Identifier: Apache-2.0
"""Recognise a caller by the token of a session or of an API key. Reads only; runs on each request.

Roles are looked up each time: whoever is removed from a tenant is out with the next request.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime

from homeport.domain.account import Account
from homeport.domain.api_key import ApiKey, id_in
from homeport.domain.people import Caller, Permission, Role
from homeport.domain.session import Lifetimes, Session
from homeport.domain.tokens import hash_token
from homeport.provisioning.ports import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """Who asks, and by what."""

    caller: Caller
    session: Session | None = None
    key: ApiKey | None = None
    is_due: bool = False
    """Whether the use is to be noted."""


async def by_session(
    tx: Transaction, token: str, *, lifetimes: Lifetimes, now: datetime
) -> Recognised | None:
    """Return whose session it is; None if there is none, or it is over."""
    session = await tx.sessions.get(hash_token(token))
    if session is None or not session.is_alive(now, lifetimes):
        return None
    account = await tx.accounts.get(session.account)
    if account is None or account.is_disabled:
        return None
    caller = await caller_of(tx, account)
    is_due = session.is_due(now, lifetimes)
    return Recognised(caller=caller, session=session, is_due=is_due)


async def by_key(tx: Transaction, token: str, *, now: datetime) -> Recognised | None:
    """Return whose key it is; None if there is none, or it was revoked or has expired."""
    identifier = id_in(token)
    key = await tx.api_keys.get(identifier) if identifier else None
    if key is None or not hmac.compare_digest(key.secret_hash, hash_token(token)):
        return None
    caller = await _caller_of_key(tx, key) if key.is_valid(now) else None
    return Recognised(caller=caller, key=key, is_due=key.is_due(now)) if caller else None


async def note_use(tx: Transaction, recognised: Recognised, *, now: datetime) -> None:
    """Keep when it was used last; called only when that is due."""
    # Read again: it may have been ended since, and must not come back.
    if recognised.session is not None:
        session = await tx.sessions.get(recognised.session.token_hash)
        if session is not None:
            await tx.sessions.put(replace(session, seen_at=now))
    if recognised.key is not None:
        key = await tx.api_keys.get(recognised.key.id)
        if key is not None:
            await tx.api_keys.put(replace(key, used_at=now))


async def caller_of(
    tx: Transaction, account: Account, scopes: frozenset[Permission] | None = None
) -> Caller:
    """Return what the account may do now."""
    members = await tx.members.of_account(account.id)
    return Caller(
        actor=account.name,
        account=account.id,
        answers=account.id,
        is_operator=account.is_operator,
        roles={member.tenant: member.role for member in members},
        scopes=scopes,
    )


async def _caller_of_key(tx: Transaction, key: ApiKey) -> Caller | None:
    if key.account is not None:
        account = await tx.accounts.get(key.account)
        if account is None or account.is_disabled:
            return None
        return await caller_of(tx, account, key.scopes)
    return Caller(
        actor=f"key {key.prefix}",
        answers=key.maker,
        is_operator=key.tenant is None,
        roles={key.tenant: Role.ADMIN} if key.tenant is not None else {},
        scopes=key.scopes,
    )
