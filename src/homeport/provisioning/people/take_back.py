# SPDX-License-Identifier: Apache-2.0
"""Take back what somebody gave out: API keys whose secret they saw, and codes that still wait.

They are found by the account that answers for them, whatever made them: the person, or an API key
that the person made, which may be gone by now. Without this, an admin who is removed could keep a
key in a drawer, or an invitation for a friend.
"""

from collections.abc import Callable
from datetime import datetime

from homeport.domain.account import Account
from homeport.provisioning.people.api_keys import revoke_key
from homeport.provisioning.people.invite import revoke_invitation
from homeport.provisioning.ports import Transaction


async def take_back(
    tx: Transaction, tenant: str, maker: Account, *, actor: str, now: datetime
) -> None:
    """Revoke keys and open invitations of the tenant that the account answers for."""
    await _revoke(tx, maker, lambda of: of == tenant, actor=actor, now=now)


async def take_back_all(tx: Transaction, maker: Account, *, actor: str, now: datetime) -> None:
    """Revoke all of them: of every tenant, the platform's, and its own keys."""
    await _revoke(tx, maker, lambda _: True, actor=actor, now=now)


async def _revoke(
    tx: Transaction,
    maker: Account,
    is_meant: Callable[[str | None], bool],
    *,
    actor: str,
    now: datetime,
) -> None:
    for key in await tx.api_keys.unrevoked_by(maker.id):
        if is_meant(key.tenant):
            await revoke_key(tx, key, actor=actor, now=now)
    for invitation in await tx.invitations.unsettled_by(maker.id):
        if is_meant(invitation.tenant) and invitation.is_open(now):
            await revoke_invitation(tx, invitation, actor=actor, now=now)
