# SPDX-License-Identifier: Apache-2.0
"""Link an account with who the person is at an OpenID provider, and undo it.

The link is (issuer, subject), made by whoever is signed in on both sides at that moment; never
because two e-mail addresses look the same.
"""

from datetime import datetime

from homeport.domain.account import Account, Identity
from homeport.domain.audit import AuditEvent, Name
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Transaction


async def link_identity(
    tx: Transaction, account: Account, *, issuer: str, subject: str, actor: str, now: datetime
) -> Identity:
    """Link; HomeportError(ALREADY_EXISTS) if the identity is another account's."""
    known = await tx.identities.get(issuer, subject)
    if known is not None:
        if known.account != account.id:
            raise HomeportError(Code.ALREADY_EXISTS, "this identity belongs to another account")
        return known
    identity = Identity(issuer=issuer, subject=subject, account=account.id, linked_at=now)
    await tx.identities.add(identity)
    await _record(tx, Name.IDENTITY_LINKED, account, issuer, actor=actor, now=now)
    return identity


async def unlink_identity(
    tx: Transaction, account: Account, identity: Identity, *, actor: str, now: datetime
) -> None:
    """Undo the link; HomeportError(TRANSITION_ILLEGAL) if nothing else lets the person in."""
    linked = await tx.identities.of_account(account.id)
    if identity not in linked:
        raise HomeportError(Code.NOT_FOUND, f"identity of {account.name}")
    if account.password_hash is None and len(linked) == 1:
        detail = "choose a password first, or you would not get in any more"
        raise HomeportError(Code.TRANSITION_ILLEGAL, detail)
    await tx.identities.remove(identity)
    await _record(tx, Name.IDENTITY_UNLINKED, account, identity.issuer, actor=actor, now=now)


async def _record(
    tx: Transaction, name: Name, account: Account, issuer: str, *, actor: str, now: datetime
) -> None:
    facts = {"account": account.name, "issuer": issuer}
    await tx.audit.record(AuditEvent(name=name, at=now, actor=actor, facts=facts))
