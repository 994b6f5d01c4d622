# SPDX-License-Identifier: Apache-2.0
"""Who signs in, who belongs where, and what was given to them."""

from collections.abc import Sequence
from typing import Protocol

from homeport.domain.account import Account, Identity
from homeport.domain.api_key import ApiKey
from homeport.domain.membership import Invitation, Member
from homeport.domain.session import Session


class Accounts(Protocol):
    """Who signs in."""

    async def get(self, account: str) -> Account | None:
        """Return one by its id."""
        ...

    async def named(self, name: str) -> Account | None:
        """Return one by its sign-in name."""
        ...

    async def page(self, *, after: str | None, limit: int) -> Sequence[Account]:
        """Return accounts by sign-in name, beyond the name `after`."""
        ...

    async def operators(self) -> int:
        """Return how many accounts operate the platform and are not disabled."""
        ...

    async def put(self, account: Account) -> None:
        """Add it, or change the one with this id; HomeportError(ALREADY_EXISTS) for its name."""
        ...


class Identities(Protocol):
    """Which account somebody is at an OpenID provider."""

    async def get(self, issuer: str, subject: str) -> Identity | None:
        """Return one by what the provider says."""
        ...

    async def of_account(self, account: str) -> Sequence[Identity]:
        """Return an account's, by issuer and subject."""
        ...

    async def add(self, identity: Identity) -> None:
        """Add one; HomeportError(ALREADY_EXISTS) if it is linked, NOT_FOUND without account."""
        ...

    async def remove(self, identity: Identity) -> None:
        """Remove it."""
        ...


class Members(Protocol):
    """Who belongs to which tenant."""

    async def get(self, tenant: str, account: str) -> Member | None:
        """Return one."""
        ...

    async def of_tenant(
        self, tenant: str, *, after: str | None, limit: int
    ) -> Sequence[tuple[Member, Account]]:
        """Return a tenant's members with their accounts, by sign-in name, beyond `after`."""
        ...

    async def of_account(self, account: str) -> Sequence[Member]:
        """Return an account's memberships, by tenant."""
        ...

    async def admins(self, tenant: str) -> int:
        """Return how many admins the tenant has whose accounts are not disabled."""
        ...

    async def put(self, member: Member) -> None:
        """Add it or change its role; HomeportError(NOT_FOUND) without its tenant or account."""
        ...

    async def remove(self, member: Member) -> None:
        """Remove it."""
        ...


class Invitations(Protocol):
    """Codes that were given out."""

    async def get(self, invitation: str) -> Invitation | None:
        """Return one by its id."""
        ...

    async def with_code(self, code_hash: str) -> Invitation | None:
        """Return the one that this code belongs to."""
        ...

    async def of_tenant(
        self, tenant: str | None, *, after: str | None, limit: int
    ) -> Sequence[Invitation]:
        """Return a tenant's (None: those of no tenant) by id, beyond `after`."""
        ...

    async def unsettled_by(self, maker: str) -> Sequence[Invitation]:
        """Return those that an account answers for and that have not been settled, by id."""
        ...

    async def put(self, invitation: Invitation) -> None:
        """Add it, or settle the one with this id."""
        ...


class Sessions(Protocol):
    """Browsers that are signed in."""

    async def get(self, token_hash: str) -> Session | None:
        """Return one by the hash of its token."""
        ...

    async def of_account(self, account: str) -> Sequence[Session]:
        """Return an account's, oldest first."""
        ...

    async def put(self, session: Session) -> None:
        """Add it, or note that it was seen; HomeportError(NOT_FOUND) without its account."""
        ...

    async def remove(self, session: Session) -> None:
        """Forget it."""
        ...


class ApiKeys(Protocol):
    """Keys of programs."""

    async def get(self, key: str) -> ApiKey | None:
        """Return one by its id."""
        ...

    async def of_holder(self, *, tenant: str | None, account: str | None) -> Sequence[ApiKey]:
        """Return a tenant's, a person's or (both None) the platform's, oldest first."""
        ...

    async def unrevoked_by(self, maker: str) -> Sequence[ApiKey]:
        """Return those that an account answers for and that are not revoked, oldest first."""
        ...

    async def put(self, key: ApiKey) -> None:
        """Add it, or note its use or its end; HomeportError(NOT_FOUND) without its holder."""
        ...
