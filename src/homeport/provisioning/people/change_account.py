# SPDX-License-Identifier: Apache-2.0
"""Change an account: its password, and whether it may sign in."""

from dataclasses import replace
from datetime import datetime

from homeport.domain.account import Account
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.session import Session
from homeport.errors import Code, HomeportError
from homeport.provisioning.people.sessions import drop_sessions
from homeport.provisioning.people.take_back import take_back_all
from homeport.provisioning.ports import Transaction


async def change_password(
    tx: Transaction,
    account: Account,
    password_hash: str,
    *,
    but: Session | None = None,
    actor: str,
    now: datetime,
) -> Account:
    """Replace the password's hash and end all sessions but the given one.

    HomeportError(SIGN_IN_REFUSED) if the account is not as it was read.
    """
    present = await tx.accounts.get(account.id)
    if present is None or present.is_disabled or present.password_hash != account.password_hash:
        raise HomeportError(Code.SIGN_IN_REFUSED, f"{account.name} changed meanwhile")
    changed = replace(present, password_hash=password_hash)
    await tx.accounts.put(changed)
    ended = await drop_sessions(tx, account, but=but)
    await _record(tx, Name.PASSWORD_CHANGED, account, ended, actor=actor, now=now)
    return changed


async def disable_account(
    tx: Transaction, account: Account, *, actor: str, now: datetime
) -> Account:
    """Keep it out at once: its sessions end, and what it gave out anywhere is taken back.

    HomeportError(LAST_ADMIN) if it is the last operator.
    """
    if account.is_disabled:
        return account
    if account.is_operator and await tx.accounts.operators() <= 1:
        raise HomeportError(Code.LAST_ADMIN, f"{account.name} is the last operator")
    changed = replace(account, disabled_at=now)
    await tx.accounts.put(changed)
    ended = await drop_sessions(tx, account)
    await take_back_all(tx, account, actor=actor, now=now)
    await _record(tx, Name.ACCOUNT_DISABLED, account, ended, actor=actor, now=now)
    return changed


async def enable_account(
    tx: Transaction, account: Account, *, actor: str, now: datetime
) -> Account:
    """Let it sign in again; sessions, keys and invitations of before stay ended."""
    if not account.is_disabled:
        return account
    changed = replace(account, disabled_at=None)
    await tx.accounts.put(changed)
    await _record(tx, Name.ACCOUNT_ENABLED, account, 0, actor=actor, now=now)
    return changed


async def _record(
    tx: Transaction, name: Name, account: Account, sessions: int, *, actor: str, now: datetime
) -> None:
    facts: dict[str, str | int] = {"account": account.name, "sessions": sessions}
    await tx.audit.record(AuditEvent(name=name, at=now, actor=actor, facts=facts))
