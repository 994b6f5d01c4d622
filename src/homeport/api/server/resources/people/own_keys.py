# SPDX-License-Identifier: Apache-2.0
"""`/account/api-keys`: keys that act as oneself, for one's own programs."""

from typing import Annotated, Final

from fastapi import APIRouter, Path

from homeport.api.server.ask import needs
from homeport.api.server.resources.people.own import Oneself
from homeport.api.wire.members import ApiKey, ApiKeys, MadeApiKey, NewOwnApiKey
from homeport.errors import Code, HomeportError
from homeport.provisioning.people.api_keys import KeyOrder, make_key, revoke_key
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/account/api-keys", tags=["account"])

KeyId = Annotated[str, Path(max_length=20, description="Id of the key.")]


@router.get("", **needs(None))
async def list_own_api_keys(own: Oneself) -> ApiKeys:
    """List one's own API keys, also those that have ended."""
    account = own.session.account
    keys = await own.ask.read(lambda tx: tx.api_keys.of_holder(tenant=None, account=account))
    return ApiKeys(items=[ApiKey.of(key) for key in keys])


@router.post("", status_code=201, **needs(None, 409))
async def make_own_api_key(wanted: NewOwnApiKey, own: Oneself) -> MadeApiKey:
    """Make a key that acts as oneself within its scopes; its token is shown this once."""
    await own.demand_presence(await own.ask.read(own.account), wanted.present)
    order = KeyOrder(
        title=wanted.title,
        scopes=wanted.scopes,
        account=own.session.account,
        maker=own.session.account,
        expires_at=wanted.expires_at,
    )

    async def verb(tx: Transaction) -> MadeApiKey:
        key, token = await make_key(tx, order, actor=own.ask.actor, now=own.ask.now)
        return MadeApiKey(key=ApiKey.of(key), token=token)

    return await own.ask.transact(verb)


@router.delete("/{key_id}", status_code=204, **needs(None))
async def revoke_own_api_key(key_id: KeyId, own: Oneself) -> None:
    """End one of one's own keys at once."""

    async def verb(tx: Transaction) -> None:
        key = await tx.api_keys.get(key_id)
        if key is None or key.account != own.session.account:
            raise HomeportError(Code.NOT_FOUND, f"API key {key_id}")
        await revoke_key(tx, key, actor=own.ask.actor, now=own.ask.now)

    await own.ask.transact(verb)
