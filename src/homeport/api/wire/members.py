# SPDX-License-Identifier: Apache-2.0
"""Members, invitations and API keys."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, Field

from homeport.api.wire.model import Document, Title
from homeport.api.wire.people import Code, Password, SignInName
from homeport.domain import api_key, membership
from homeport.domain.account import Account
from homeport.domain.api_key import TITLE_MAX
from homeport.domain.membership import Purpose, Settled
from homeport.domain.people import Permission, Role


class Member(Document):
    """Somebody in a tenant."""

    account: str
    """Id of the account."""
    name: str
    """Sign-in name."""
    role: Role
    joined_at: datetime
    is_disabled: bool
    """Whether the account may not sign in now."""

    @classmethod
    def of(cls, pair: tuple[membership.Member, Account]) -> Self:
        """Show a member of the registry."""
        member, account = pair
        return cls(
            account=member.account,
            name=account.name,
            role=member.role,
            joined_at=member.joined_at,
            is_disabled=account.is_disabled,
        )


class MemberChange(Document):
    """Another role."""

    role: Role


class NewInvitation(Document):
    """Whom to invite, as what."""

    name: SignInName
    """For the account that is made if whoever accepts has none: e-mail address or plain name."""
    role: Role


class NewOperator(Document):
    """Whom to invite to operate the platform."""

    name: SignInName


class Invitation(Document):
    """A code that was given to somebody, without the code."""

    id: str
    purpose: Purpose
    name: str
    tenant: str | None
    role: Role | None
    invited_by: str
    invited_at: datetime
    expires_at: datetime
    settled: Settled | None
    """null: it waits, until it expires."""
    settled_at: datetime | None

    @classmethod
    def of(cls, known: membership.Invitation) -> Self:
        """Show an invitation of the registry."""
        return cls(
            id=known.id,
            purpose=known.purpose,
            name=known.name,
            tenant=known.tenant,
            role=known.role,
            invited_by=known.invited_by,
            invited_at=known.invited_at,
            expires_at=known.expires_at,
            settled=known.settled,
            settled_at=known.settled_at,
        )


class MadeInvitation(Document):
    """A new invitation with its code, which is shown this once."""

    invitation: Invitation
    code: str


class InvitationCode(Document):
    """The code of an invitation."""

    code: Code


class Offer(Document):
    """What a code is for."""

    purpose: Purpose
    name: str
    """The sign-in name of the account that it makes, or whose password it changes."""
    tenant: str | None
    tenant_title: str | None
    role: Role | None
    invited_by: str
    expires_at: datetime


class Acceptance(Document):
    """Accepts an invitation."""

    code: Code
    password: Password | None = None
    """Of the new account, or the new one; null for who is signed in."""


class NewApiKey(Document):
    """What key to make."""

    title: Annotated[Title, Field(min_length=1, max_length=TITLE_MAX)]
    """What it is for."""
    scopes: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission))]
    """What it may do at most."""
    expires_at: AwareDatetime | None = None
    """null: never."""


class NewOwnApiKey(NewApiKey):
    """What key of one's own to make."""

    present: Password | None = None
    """The present password, if there is one."""


class ApiKey(Document):
    """An API key, without its secret."""

    id: str
    prefix: str
    """What the key begins with."""
    title: str
    scopes: list[Permission]
    made_by: str
    made_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    """To about an hour."""
    revoked_at: datetime | None

    @classmethod
    def of(cls, known: api_key.ApiKey) -> Self:
        """Show a key of the registry."""
        return cls(
            id=known.id,
            prefix=known.prefix,
            title=known.title,
            scopes=sorted(known.scopes),
            made_by=known.made_by,
            made_at=known.made_at,
            expires_at=known.expires_at,
            used_at=known.used_at,
            revoked_at=known.revoked_at,
        )


class ApiKeys(Document):
    """API keys of one holder, the oldest first."""

    items: list[ApiKey]


class MadeApiKey(Document):
    """A new key with its token, which is shown this once."""

    key: ApiKey
    token: str
    """For the header `Authorization: Bearer …`."""
