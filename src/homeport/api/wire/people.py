# SPDX-License-Identifier: Apache-2.0
"""Who is asking: set-up, sign-in, one's own account."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, SecretStr, StringConstraints

from homeport.api.wire.model import Document, Name, Title
from homeport.domain import account, session
from homeport.domain.account import NAME_MAX, PASSWORD_MAX
from homeport.domain.people import Caller, Role

SignInName = Annotated[str, StringConstraints(min_length=1, max_length=NAME_MAX)]
"""What is typed to sign in: an e-mail address or a plain name, in lower case."""

Password = Annotated[SecretStr, Field(min_length=1, max_length=PASSWORD_MAX)]
"""12 characters or more."""

Code = Annotated[SecretStr, Field(min_length=1, max_length=100)]
"""Shown once to whoever invited."""


class SetUpState(Document):
    """Whether the platform waits for its first operator."""

    is_needed: bool


class SetUp(Document):
    """The first operator's account."""

    code: Code
    """From the file set-up-code in the platform's data directory."""
    name: SignInName
    password: Password


class Credentials(Document):
    """Name and password."""

    name: SignInName
    password: Password


class SignedIn(Document):
    """Who is signed in, and what one may."""

    actor: str
    """As the audit trail names the caller: a sign-in name, or a key."""
    account: str | None
    """Id of the account; null for a key that is nobody's."""
    is_operator: bool
    roles: Mapping[str, Role]
    """By tenant."""
    scopes: list[str] | None
    """What an API key is limited to; null: nothing."""
    csrf_token: str | None
    """For the header X-CSRF-Token of whatever changes something; null: none is needed."""

    @classmethod
    def of(cls, caller: Caller, csrf_token: str | None) -> Self:
        """Show a caller."""
        return cls(
            actor=caller.actor,
            account=caller.account,
            is_operator=caller.is_operator,
            roles=caller.roles,
            scopes=None if caller.scopes is None else sorted(caller.scopes),
            csrf_token=csrf_token,
        )


class Account(Document):
    """An account."""

    id: str
    name: str
    is_operator: bool
    has_password: bool
    """Whether it signs in by password; else only at the OpenID provider."""
    is_disabled: bool
    made_at: datetime

    @classmethod
    def of(cls, known: account.Account) -> Self:
        """Show an account of the registry."""
        return cls(
            id=known.id,
            name=known.name,
            is_operator=known.is_operator,
            has_password=known.password_hash is not None,
            is_disabled=known.is_disabled,
            made_at=known.made_at,
        )


class AccountChange(Document):
    """What changes about an account."""

    is_disabled: bool


class NewPassword(Document):
    """A new password for one's own account."""

    present: Password | None = None
    """The present one, if there is one."""
    new: Password


class Session(Document):
    """A browser that is signed in."""

    id: str
    started_at: datetime
    seen_at: datetime
    """To about half an hour."""
    source: str
    """From where: an address or an IPv6 prefix."""
    program: str
    """What the browser calls itself."""
    is_this: bool
    """Whether it is the one that asks."""

    @classmethod
    def of(cls, known: session.Session, this: session.Session) -> Self:
        """Show a session of the registry to `this` one."""
        return cls(
            id=known.id,
            started_at=known.started_at,
            seen_at=known.seen_at,
            source=known.source,
            program=known.program,
            is_this=known.id == this.id,
        )


class Sessions(Document):
    """One's own sessions."""

    items: list[Session]


class Identity(Document):
    """Who one is at an OpenID provider."""

    id: str
    issuer: str
    subject: str
    linked_at: datetime

    @classmethod
    def of(cls, known: account.Identity) -> Self:
        """Show an identity of the registry."""
        return cls(
            id=known.id,
            issuer=known.issuer,
            subject=known.subject,
            linked_at=known.linked_at,
        )


class Identities(Document):
    """One's own identities."""

    items: list[Identity]


class FoundedTenant(Document):
    """A tenant of one's own."""

    name: Name
    """Stands in MQTT topics; cannot be changed."""
    title: Title = ""
    """As people write it; empty: the name."""


class ProviderOffer(Document):
    """Whether one can sign in at an OpenID provider."""

    is_offered: bool
    title: str | None
    """What to write on the button."""


class BeginSignIn(Document):
    """Begins to sign in at the provider."""

    invitation: Code | None = None
    """An invitation to accept on coming back."""


class BeginLink(Document):
    """Begins to link one's account with the provider."""

    present: Password | None = None
    """The present password, if there is one."""


class ProviderAddress(Document):
    """Where to send the browser."""

    address: str
