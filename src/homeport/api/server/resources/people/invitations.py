# SPDX-License-Identifier: Apache-2.0
"""Invitations: a tenant's, the platform's, and accepting one."""

from typing import Annotated, Final

from fastapi import APIRouter, Path

from homeport.api.server.ask import Ask, Asked, Changed, Posted, needs
from homeport.api.server.paging import Paged, Span, page_of
from homeport.api.server.people.authenticator import recognised_in
from homeport.api.server.resources.people.stranger import AnyBody, Stranger, open_to_all
from homeport.api.server.resources.tenants import TenantName
from homeport.api.wire.members import (
    Acceptance,
    Invitation,
    InvitationCode,
    MadeInvitation,
    NewInvitation,
    NewOperator,
    Offer,
)
from homeport.api.wire.model import Page
from homeport.api.wire.people import SignedIn
from homeport.domain import account
from homeport.domain.account import check_password
from homeport.domain.membership import Purpose
from homeport.domain.people import Permission
from homeport.errors import Code, HomeportError, MalformedError
from homeport.provisioning.people.accept import accept_invitation, find_acceptable, find_open
from homeport.provisioning.people.invite import Guest, invite, revoke_invitation
from homeport.provisioning.ports import Transaction

router: Final = APIRouter(tags=["invitations"])

InvitationId = Annotated[str, Path(max_length=64, description="Id of the invitation.")]
OF_TENANT: Final = "/tenants/{tenant_name}/invitations"


@router.get(OF_TENANT, **needs(Permission.MEMBERS_READ))
async def list_invitations(tenant_name: TenantName, ask: Asked, span: Paged) -> Page[Invitation]:
    """List a tenant's invitations, also those that have ended."""
    ask.demand(tenant_name, f"tenant {tenant_name}")
    return await _page(ask, span, tenant_name)


@router.post(OF_TENANT, status_code=201, **needs(Permission.MEMBERS_WRITE, 409))
async def invite_member(
    tenant_name: TenantName, wanted: NewInvitation, ask: Posted
) -> MadeInvitation:
    """Invite somebody into a tenant; the code is shown this once."""
    ask.demand(tenant_name, f"tenant {tenant_name}")
    ask.caller.demand_to_give(wanted.role)
    guest = Guest(
        name=wanted.name,
        purpose=Purpose.MEMBER,
        tenant=tenant_name,
        role=wanted.role,
        maker=ask.caller.answers,
    )
    return await _invite(ask, guest)


@router.delete(OF_TENANT + "/{invitation_id}", status_code=204, **needs(Permission.MEMBERS_WRITE))
async def revoke_a_members_invitation(
    tenant_name: TenantName, invitation_id: InvitationId, ask: Changed
) -> None:
    """Revoke an invitation that waits."""
    ask.demand(tenant_name, f"tenant {tenant_name}")
    await _revoke(ask, tenant_name, invitation_id)


@router.get("/invitations", **needs(Permission.PLATFORM_OPERATE))
async def list_platform_invitations(ask: Asked, span: Paged) -> Page[Invitation]:
    """List the invitations of operators, and codes for new passwords."""
    ask.demand(None, "invitations")
    return await _page(ask, span, None)


@router.post("/invitations", status_code=201, **needs(Permission.PLATFORM_OPERATE, 409))
async def invite_operator(wanted: NewOperator, ask: Posted) -> MadeInvitation:
    """Invite somebody to operate the platform; the code is shown this once."""
    ask.demand(None, "invitations")
    ask.caller.demand_person("invites operators")
    return await _invite(
        ask, Guest(name=wanted.name, purpose=Purpose.OPERATOR, maker=ask.caller.answers)
    )


@router.delete(
    "/invitations/{invitation_id}", status_code=204, **needs(Permission.PLATFORM_OPERATE)
)
async def revoke_platform_invitation(invitation_id: InvitationId, ask: Changed) -> None:
    """Revoke an operator's invitation, or a code for a new password."""
    ask.demand(None, "invitations")
    await _revoke(ask, None, invitation_id)


@router.post("/invitations/look", **open_to_all())
async def look_at_invitation(given: InvitationCode, stranger: AnyBody) -> Offer:
    """Say what a code is for."""

    async def verb(tx: Transaction) -> Offer:
        found = await find_open(tx, given.code.get_secret_value(), now=stranger.now)
        tenant = await tx.tenants.get(found.tenant) if found.tenant else None
        return Offer(
            purpose=found.purpose,
            name=found.name,
            tenant=found.tenant,
            tenant_title=tenant.title if tenant else None,
            role=found.role,
            invited_by=found.invited_by,
            expires_at=found.expires_at,
        )

    return await stranger.read(verb)


@router.post("/invitations/accept", status_code=201, **open_to_all(409))
async def accept(given: Acceptance, stranger: AnyBody) -> SignedIn:
    """Accept an invitation, as who is signed in or with a new account; then one is signed in."""
    present = await _who_is_signed_in(stranger)
    code = given.code.get_secret_value()
    found = await stranger.read(
        lambda tx: find_acceptable(tx, code, account=present, now=stranger.now)
    )
    hashed = None
    if present is None or found.purpose is Purpose.PASSWORD:
        if given.password is None:
            raise MalformedError("body.password: is needed without a sign-in")
        password = check_password(given.password.get_secret_value(), found.name)
        stranger.people.sign_in.count_choice(found.id, stranger.source)
        hashed = await stranger.people.passwords.hash(password)
    joined = await stranger.transact(
        lambda tx: accept_invitation(
            tx, code, account=present, password_hash=hashed, now=stranger.now
        )
    )
    return await stranger.admit(joined, "invitation")


async def _who_is_signed_in(stranger: Stranger) -> account.Account | None:
    try:
        await stranger.parts.authenticator.caller_of(stranger.request)
    except HomeportError as error:
        if error.code is Code.SIGN_IN_NEEDED:
            return None
        raise
    found = recognised_in(stranger.request)
    if found is None or found.session is None:
        raise HomeportError(Code.ROLE_INSUFFICIENT, "a person accepts, no key")
    session = found.session
    return await stranger.read(lambda tx: tx.accounts.get(session.account))


async def _page(ask: Ask, span: Span, tenant: str | None) -> Page[Invitation]:
    rows = await ask.read(
        lambda tx: tx.invitations.of_tenant(tenant, after=span.after, limit=span.fetch)
    )
    return page_of(rows, span, Invitation.of, lambda row: row.id)


async def _invite(ask: Ask, guest: Guest) -> MadeInvitation:
    async def verb(tx: Transaction) -> MadeInvitation:
        invitation, code = await invite(
            tx, guest, lifetime=ask.parts.invitation_lifetime, actor=ask.actor, now=ask.now
        )
        return MadeInvitation(invitation=Invitation.of(invitation), code=code)

    return await ask.once(MadeInvitation, verb, is_secret=True)


async def _revoke(ask: Ask, tenant: str | None, invitation_id: str) -> None:
    async def verb(tx: Transaction) -> None:
        found = await tx.invitations.get(invitation_id)
        if found is None or found.tenant != tenant:
            raise HomeportError(Code.INVITATION_UNKNOWN, invitation_id)
        await revoke_invitation(tx, found, actor=ask.actor, now=ask.now)

    await ask.transact(verb)
