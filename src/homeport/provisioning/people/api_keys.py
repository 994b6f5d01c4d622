# SPDX-License-Identifier: Apache-2.0
"""Make and revoke API keys."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from homeport.domain.api_key import OPERATOR_ONLY, TITLE_MAX, ApiKey, make_token
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.people import Permission
from homeport.domain.tokens import hash_token
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.ports import Transaction

KEYS_MAX: Final = 100
"""Valid keys of one holder; a program needs one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOrder:
    """What key is wanted."""

    title: str
    scopes: Collection[Permission]
    tenant: str | None = None
    account: str | None = None
    maker: str | None = None
    """Id of the account that answers for it."""
    expires_at: datetime | None = None


async def make_key(
    tx: Transaction, order: KeyOrder, *, actor: str, now: datetime
) -> tuple[ApiKey, str]:
    """Make one; return it with its token, which is not kept.

    MalformedError for what is ordered, HomeportError(TRANSITION_ILLEGAL) beyond KEYS_MAX.
    """
    _check(order, now)
    holders = await tx.api_keys.of_holder(tenant=order.tenant, account=order.account)
    if sum(key.is_valid(now) for key in holders) >= KEYS_MAX:
        raise HomeportError(Code.TRANSITION_ILLEGAL, f"there are {KEYS_MAX} keys; revoke some")
    identifier, token = make_token()
    key = ApiKey(
        id=identifier,
        secret_hash=hash_token(token),
        title=order.title,
        tenant=order.tenant,
        account=order.account,
        scopes=frozenset(order.scopes),
        made_by=actor,
        maker=order.maker,
        made_at=now,
        expires_at=order.expires_at,
    )
    await tx.api_keys.put(key)
    await _record(tx, Name.API_KEY_MADE, key, actor=actor, now=now)
    return key, token


async def revoke_key(tx: Transaction, key: ApiKey, *, actor: str, now: datetime) -> ApiKey:
    """End it at once; one that is revoked already is left as it is."""
    if key.revoked_at is not None:
        return key
    revoked = replace(key, revoked_at=now)
    await tx.api_keys.put(revoked)
    await _record(tx, Name.API_KEY_REVOKED, key, actor=actor, now=now)
    return revoked


def _check(order: KeyOrder, now: datetime) -> None:
    if not 0 < len(order.title) <= TITLE_MAX or not order.title.isprintable():
        raise MalformedError(f"title: 1 to {TITLE_MAX} characters that can be printed")
    if not order.scopes:
        raise MalformedError("scopes: a key that may do nothing is of no use")
    foreign = OPERATOR_ONLY.intersection(order.scopes)
    if order.tenant is not None and foreign:
        raise MalformedError(f"scopes: {', '.join(sorted(foreign))} mean nothing in a tenant")
    if order.expires_at is not None and order.expires_at <= now:
        raise MalformedError("expires_at: lies in the past")


async def _record(tx: Transaction, name: Name, key: ApiKey, *, actor: str, now: datetime) -> None:
    facts = {"prefix": key.prefix, "title": key.title, "scopes": " ".join(sorted(key.scopes))}
    await tx.audit.record(
        AuditEvent(name=name, at=now, actor=actor, tenant=key.tenant, facts=facts)
    )
