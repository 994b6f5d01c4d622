# SPDX-License-Identifier: Apache-2.0
"""Start and end sessions. The token exists in the browser only; what is kept tells the right one.

A new session always has a new token: nobody can plant one before the sign-in (session fixation).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from homeport.domain.account import Account
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.session import PROGRAM_MAX, Lifetimes, Session
from homeport.domain.tokens import hash_token, new_token
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction

SESSIONS_MAX: Final = 20
"""Browsers of one person; with one more the oldest session ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """From where somebody signs in, and how."""

    source: str
    program: str
    way: str
    """"password", "provider", "invitation", "set-up"."""


async def start_session(
    tx: Transaction,
    account: Account,
    visit: Visit,
    *,
    lifetimes: Lifetimes,
    password_hash: str | None = None,
    now: datetime,
) -> tuple[Session, str]:
    """Start one for the account as it was read; return it with its token, which is not kept.

    `password_hash` replaces one that was made with weaker parameters. HomeportError(
    SIGN_IN_REFUSED) if the account was disabled or its password changed meanwhile.
    """
    present = await tx.accounts.get(account.id)
    if present is None or present.is_disabled or present.password_hash != account.password_hash:
        raise HomeportError(Code.SIGN_IN_REFUSED, f"{account.name} changed meanwhile")
    if password_hash is not None:
        await tx.accounts.put(replace(present, password_hash=password_hash))
    await _make_room(tx, account, lifetimes, now)
    token = new_token()
    session = Session(
        token_hash=hash_token(token),
        account=account.id,
        started_at=now,
        seen_at=now,
        source=visit.source,
        program="".join(c for c in visit.program if c.isprintable())[:PROGRAM_MAX],
    )
    await tx.sessions.put(session)
    facts = {"account": account.name, "source": visit.source, "way": visit.way}
    await tx.audit.record(
        AuditEvent(name=Name.SESSION_STARTED, at=now, actor=account.name, facts=facts)
    )
    return session, token


async def note_refused(
    tx: Transaction, account: Account | None, *, source: str, reason: str, now: datetime
) -> None:
    """Record a sign-in that was refused.

    A name that is no account's is not kept: it may be a password in the wrong field.
    """
    name = account.name if account else "nobody known"
    facts = {"account": name, "source": source, "reason": reason}
    await tx.audit.record(
        AuditEvent(name=Name.SESSION_REFUSED, at=now, actor="stranger", facts=facts)
    )


async def end_sessions(
    tx: Transaction,
    account: Account,
    *,
    only: str | None = None,
    but: Session | None = None,
    actor: str,
    now: datetime,
) -> int:
    """End the account's sessions: all, `only` the one with this id, or all `but` one.

    HomeportError(NOT_FOUND) if it has none with this id. Return how many ended.
    """
    ended = await drop_sessions(tx, account, only=only, but=but)
    if only is not None and not ended:
        raise HomeportError(Code.NOT_FOUND, f"session {only[:40]} of {account.name}")
    if ended:
        facts: dict[str, str | int] = {"account": account.name, "sessions": ended}
        await tx.audit.record(AuditEvent(name=Name.SESSION_ENDED, at=now, actor=actor, facts=facts))
    return ended


async def drop_sessions(
    tx: Transaction, account: Account, *, only: str | None = None, but: Session | None = None
) -> int:
    """End sessions as part of something larger, which tells of it."""
    ended = 0
    for session in await tx.sessions.of_account(account.id):
        if only in (None, session.id) and (but is None or session.token_hash != but.token_hash):
            await tx.sessions.remove(session)
            ended += 1
    return ended


async def _make_room(
    tx: Transaction, account: Account, lifetimes: Lifetimes, now: datetime
) -> None:
    sessions = await tx.sessions.of_account(account.id)
    alive = [session for session in sessions if session.is_alive(now, lifetimes)]
    kept = alive[max(0, len(alive) - SESSIONS_MAX + 1) :]
    for session in sessions:
        if session not in kept:
            await tx.sessions.remove(session)
