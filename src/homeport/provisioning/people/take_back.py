# SPDX-License-Identifier: Apache-2.0
"""Take back what somebody gave out: API keys whose secret they saw, and codes that still wait.

Without this, an admin who is removed could keep a key in a drawer, or an invitation for a friend.
"""

from datetime import datetime
from typing import Final

from homeport.domain.membership import Invitation
from homeport.provisioning.people.api_keys import revoke_key
from homeport.provisioning.people.invite import revoke_invitation
from homeport.provisioning.ports import Transaction

PAGE: Final = 500


async def take_back(
    tx: Transaction, tenant: str | None, maker: str, *, actor: str, now: datetime
) -> int:
    """Revoke keys and open invitations that `maker` made in the tenant (None: the platform's).

    Return how many there were.
    """
    keys = [
        key
        for key in await tx.api_keys.of_holder(tenant=tenant, account=None)
        if key.made_by == maker and key.is_valid(now)
    ]
    for key in keys:
        await revoke_key(tx, key, actor=actor, now=now)
    invitations = await _open(tx, tenant, maker, now)
    for invitation in invitations:
        await revoke_invitation(tx, invitation, actor=actor, now=now)
    return len(keys) + len(invitations)


async def _open(tx: Transaction, tenant: str | None, maker: str, now: datetime) -> list[Invitation]:
    found: list[Invitation] = []
    after: str | None = None
    while True:
        page = await tx.invitations.of_tenant(tenant, after=after, limit=PAGE)
        found += [each for each in page if each.invited_by == maker and each.is_open(now)]
        if len(page) < PAGE:
            return found
        after = page[-1].id
