# SPDX-License-Identifier: Apache-2.0
"""Make an account: by hand, at the platform's set-up, or of whoever was invited."""

from dataclasses import dataclass, field
from datetime import datetime

from homeport.domain.account import Account, check_sign_in_name, new_account_id
from homeport.domain.audit import AuditEvent, Name
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What account is wanted."""

    name: str
    password_hash: str | None = field(default=None, repr=False)
    is_operator: bool = False
    way: str = "by hand"
    """How it came to be: "by hand", "set-up", "invitation", "provider"."""


async def add_account(tx: Transaction, wanted: NewAccount, *, actor: str, now: datetime) -> Account:
    """Add it; HomeportError(ALREADY_EXISTS) or MalformedError for its name."""
    name = check_sign_in_name(wanted.name)
    if await tx.accounts.named(name) is not None:
        raise HomeportError(Code.ALREADY_EXISTS, f"account {name}")
    account = Account(
        id=new_account_id(),
        name=name,
        password_hash=wanted.password_hash,
        is_operator=wanted.is_operator,
        made_at=now,
    )
    await tx.accounts.put(account)
    facts: dict[str, str | int] = {
        "account": name,
        "way": wanted.way,
        "operator": int(wanted.is_operator),
    }
    await tx.audit.record(AuditEvent(name=Name.ACCOUNT_ADDED, at=now, actor=actor, facts=facts))
    return account


async def set_up(tx: Transaction, name: str, *, password_hash: str, now: datetime) -> Account:
    """Make the first operator's account; HomeportError(SET_UP_ALREADY) if there is one."""
    if await tx.accounts.operators():
        raise HomeportError(Code.SET_UP_ALREADY)
    wanted = NewAccount(name=name, password_hash=password_hash, is_operator=True, way="set-up")
    return await add_account(tx, wanted, actor=name, now=now)
