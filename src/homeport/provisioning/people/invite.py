# SPDX-License-Identifier: Apache-2.0
"""Invite somebody: into a tenant, as operator, or to choose a new password; and think better of it.

The code is returned once, to be handed over by a way that is trusted; the platform sends no mail.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from homeport.domain.account import Account, check_sign_in_name
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.membership import Invitation, Purpose, Settled, new_invitation_id
from homeport.domain.people import Role
from homeport.domain.tokens import hash_token, new_token
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction

LIFETIME: Final = timedelta(days=7)
"""Of an invitation, if nothing else is said: over a weekend and a public holiday."""

PASSWORD_LIFETIME: Final = timedelta(hours=1)
"""Of a code for a new password: who asked for it waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Who is invited, to what."""

    name: str
    purpose: Purpose
    tenant: str | None = None
    role: Role | None = None
    account: str | None = None
    maker: str | None = None
    """Id of the account that answers for the invitation."""


async def invite(
    tx: Transaction, guest: Guest, *, lifetime: timedelta = LIFETIME, actor: str, now: datetime
) -> tuple[Invitation, str]:
    """Invite; return the invitation and its code, which is not kept.

    MalformedError for the name, HomeportError(TENANT_UNKNOWN).
    """
    check_sign_in_name(guest.name)
    if guest.tenant is not None and await tx.tenants.get(guest.tenant) is None:
        raise HomeportError(Code.TENANT_UNKNOWN, guest.tenant)
    code = new_token()
    invitation = Invitation(
        id=new_invitation_id(),
        code_hash=hash_token(code),
        purpose=guest.purpose,
        name=guest.name,
        tenant=guest.tenant,
        role=guest.role,
        account=guest.account,
        invited_by=actor,
        maker=guest.maker,
        invited_at=now,
        expires_at=now + lifetime,
    )
    await tx.invitations.put(invitation)
    await _record(tx, Name.INVITATION_MADE, invitation, actor=actor, now=now)
    return invitation, code


async def offer_new_password(
    tx: Transaction, account: Account, *, maker: str | None = None, actor: str, now: datetime
) -> tuple[Invitation, str]:
    """Give a code with which a person who forgot the password chooses another one."""
    guest = Guest(name=account.name, purpose=Purpose.PASSWORD, account=account.id, maker=maker)
    return await invite(tx, guest, lifetime=PASSWORD_LIFETIME, actor=actor, now=now)


async def revoke_invitation(
    tx: Transaction, invitation: Invitation, *, actor: str, now: datetime
) -> Invitation:
    """End it; HomeportError(INVITATION_UNKNOWN) if it was used or has ended already."""
    if not invitation.is_open(now):
        raise HomeportError(Code.INVITATION_UNKNOWN, f"invitation of {invitation.name} has ended")
    revoked = replace(invitation, settled=Settled.REVOKED, settled_at=now)
    await tx.invitations.put(revoked)
    await _record(tx, Name.INVITATION_REVOKED, revoked, actor=actor, now=now)
    return revoked


async def _record(
    tx: Transaction, name: Name, invitation: Invitation, *, actor: str, now: datetime
) -> None:
    facts = {
        "name": invitation.name,
        "purpose": str(invitation.purpose),
        "role": str(invitation.role or ""),
    }
    await tx.audit.record(
        AuditEvent(name=name, at=now, actor=actor, tenant=invitation.tenant, facts=facts)
    )
