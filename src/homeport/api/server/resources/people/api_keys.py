# SPDX-License-Identifier: Apache-2.0
"""API keys of a tenant and of the platform."""

from typing import Final

from fastapi import APIRouter

from homeport.api.server.ask import Ask, Asked, Changed, Posted, needs
from homeport.api.server.resources.people.own_keys import KeyId
from homeport.api.server.resources.tenants import TenantName
from homeport.api.wire.members import ApiKey, ApiKeys, MadeApiKey, NewApiKey
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError
from homeport.provisioning.people.api_keys import KeyOrder, make_key, revoke_key
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(tags=["api-keys"])

OF_TENANT: Final = "/tenants/{tenant_name}/api-keys"


@router.get(OF_TENANT, **needs(Permission.MEMBERS_WRITE))
async def list_api_keys(tenant_name: TenantName, ask: Asked) -> ApiKeys:
    """List a tenant's API keys, also those that have ended."""
    ask.demand(tenant_name, f"tenant {tenant_name}")
    return await _list(ask, tenant_name)


@router.post(OF_TENANT, status_code=201, **needs(Permission.MEMBERS_WRITE, 409))
async def make_api_key(tenant_name: TenantName, wanted: NewApiKey, ask: Posted) -> MadeApiKey:
    """Make a key for a tenant's program; its token is shown this once."""
    ask.demand(tenant_name, f"tenant {tenant_name}")
    ask.caller.demand_person("makes keys")
    return await _make(ask, tenant_name, wanted)


@router.delete(OF_TENANT + "/{key_id}", status_code=204, **needs(Permission.MEMBERS_WRITE))
async def revoke_api_key(tenant_name: TenantName, key_id: KeyId, ask: Changed) -> None:
    """End a tenant's key at once."""
    ask.demand(tenant_name, f"tenant {tenant_name}")
    await _revoke(ask, tenant_name, key_id)


@router.get("/api-keys", **needs(Permission.PLATFORM_OPERATE))
async def list_platform_api_keys(ask: Asked) -> ApiKeys:
    """List the platform's API keys, also those that have ended."""
    ask.demand(None, "API keys")
    return await _list(ask, None)


@router.post("/api-keys", status_code=201, **needs(Permission.PLATFORM_OPERATE, 409))
async def make_platform_api_key(wanted: NewApiKey, ask: Posted) -> MadeApiKey:
    """Make a key that acts as operator within its scopes; its token is shown this once."""
    ask.demand(None, "API keys")
    ask.caller.demand_person("makes keys")
    return await _make(ask, None, wanted)


@router.delete("/api-keys/{key_id}", status_code=204, **needs(Permission.PLATFORM_OPERATE))
async def revoke_platform_api_key(key_id: KeyId, ask: Changed) -> None:
    """End one of the platform's keys at once."""
    ask.demand(None, "API keys")
    await _revoke(ask, None, key_id)


async def _list(ask: Ask, tenant: str | None) -> ApiKeys:
    keys = await ask.read(lambda tx: tx.api_keys.of_holder(tenant=tenant, account=None))
    return ApiKeys(items=[ApiKey.of(key) for key in keys])


async def _make(ask: Ask, tenant: str | None, wanted: NewApiKey) -> MadeApiKey:
    order = KeyOrder(
        title=wanted.title,
        scopes=wanted.scopes,
        tenant=tenant,
        maker=ask.caller.answers,
        expires_at=wanted.expires_at,
    )

    async def verb(tx: Transaction) -> MadeApiKey:
        key, token = await make_key(tx, order, actor=ask.actor, now=ask.now)
        return MadeApiKey(key=ApiKey.of(key), token=token)

    return await ask.once(MadeApiKey, verb, is_secret=True)


async def _revoke(ask: Ask, tenant: str | None, key_id: str) -> None:
    async def verb(tx: Transaction) -> None:
        key = await tx.api_keys.get(key_id)
        if key is None or key.tenant != tenant or key.account is not None:
            raise HomeportError(Code.NOT_FOUND, f"API key {key_id}")
        await revoke_key(tx, key, actor=ask.actor, now=ask.now)

    await ask.transact(verb)
