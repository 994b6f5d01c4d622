# SPDX-License-Identifier: Apache-2.0
"""`/account`: one's own account, its password, sessions and identities; founding and leaving."""

from typing import Annotated, Final

from fastapi import APIRouter, Path

from homeport.api.server.ask import needs
from homeport.api.server.resources.people.own import Oneself
from homeport.api.server.resources.tenants import TenantName
from homeport.api.wire.people import (
    Account,
    FoundedTenant,
    Identities,
    Identity,
    NewPassword,
    Session,
    Sessions,
)
from homeport.api.wire.places import Tenant
from homeport.domain.account import check_password
from homeport.errors import Code, HomeportError
from homeport.provisioning.people import sessions, tenants
from homeport.provisioning.people.change_account import change_password
from homeport.provisioning.people.identities import unlink_identity
from homeport.provisioning.people.members import remove_member
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(prefix="/account", tags=["account"])

Id = Annotated[str, Path(max_length=64, description="Id in the list.")]


@router.get("", **needs(None))
async def get_own_account(own: Oneself) -> Account:
    """Show one's own account."""
    return Account.of(await own.ask.read(own.account))


@router.put("/password", status_code=204, **needs(None, 409))
async def put_own_password(given: NewPassword, own: Oneself) -> None:
    """Choose another password; all other sessions end."""
    present = await own.ask.read(own.account)
    await own.demand_presence(present, given.present)
    password = check_password(given.new.get_secret_value(), present.name)
    hashed = await own.people.passwords.hash(password)
    await own.ask.transact(
        lambda tx: change_password(
            tx, present, hashed, but=own.session, actor=own.ask.actor, now=own.ask.now
        )
    )


@router.get("/sessions", **needs(None))
async def list_own_sessions(own: Oneself) -> Sessions:
    """List the browsers in which one is signed in."""
    found = await own.ask.read(lambda tx: tx.sessions.of_account(own.session.account))
    alive = [each for each in found if each.is_alive(own.ask.now, own.people.lifetimes)]
    return Sessions(items=[Session.of(each, own.session) for each in alive])


@router.delete("/sessions", status_code=204, **needs(None))
async def end_other_sessions(own: Oneself) -> None:
    """End all sessions but the one that asks."""

    async def verb(tx: Transaction) -> None:
        present = await own.account(tx)
        await sessions.end_sessions(
            tx, present, but=own.session, actor=own.ask.actor, now=own.ask.now
        )

    await own.ask.transact(verb)


@router.delete("/sessions/{session}", status_code=204, **needs(None))
async def end_session(session: Id, own: Oneself) -> None:
    """End one session."""

    async def verb(tx: Transaction) -> None:
        present = await own.account(tx)
        await sessions.end_sessions(tx, present, only=session, actor=own.ask.actor, now=own.ask.now)

    await own.ask.transact(verb)


@router.get("/identities", **needs(None))
async def list_own_identities(own: Oneself) -> Identities:
    """List who one is at OpenID providers."""
    found = await own.ask.read(lambda tx: tx.identities.of_account(own.session.account))
    return Identities(items=[Identity.of(each) for each in found])


@router.delete("/identities/{identity}", status_code=204, **needs(None, 409))
async def remove_own_identity(identity: Id, own: Oneself) -> None:
    """Sign in there no longer."""

    async def verb(tx: Transaction) -> None:
        present = await own.account(tx)
        for each in await tx.identities.of_account(present.id):
            if each.id == identity:
                await unlink_identity(tx, present, each, actor=own.ask.actor, now=own.ask.now)
                return
        raise HomeportError(Code.NOT_FOUND, f"identity {identity}")

    await own.ask.transact(verb)


@router.post("/tenants", status_code=201, **needs(None, 409))
async def found_tenant(wanted: FoundedTenant, own: Oneself) -> Tenant:
    """Found a tenant of one, if the platform lets people do that."""
    if not own.people.may_found_tenants:
        detail = "on this platform the operator adds tenants (people.found_tenants)"
        raise HomeportError(Code.ROLE_INSUFFICIENT, detail)

    async def verb(tx: Transaction) -> Tenant:
        founder = await own.account(tx)
        return Tenant.of(
            await tenants.found_tenant(
                tx, founder, wanted.name, title=wanted.title, now=own.ask.now
            )
        )

    return await own.ask.transact(verb)


@router.delete("/tenants/{tenant_name}", status_code=204, **needs(None, 409))
async def leave_tenant(tenant_name: TenantName, own: Oneself) -> None:
    """Leave a tenant; its last admin stays."""

    async def verb(tx: Transaction) -> None:
        present = await own.account(tx)
        member = await tx.members.get(tenant_name, present.id)
        if member is None:
            raise HomeportError(Code.NOT_FOUND, f"tenant {tenant_name}")
        await remove_member(tx, member, present, actor=own.ask.actor, now=own.ask.now)

    await own.ask.transact(verb)
