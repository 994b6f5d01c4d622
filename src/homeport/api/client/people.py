# SPDX-License-Identifier: Apache-2.0
"""Members, invitations and API keys: of a tenant, or (without a tenant's name) the platform's."""

from collections.abc import Iterable
from datetime import datetime

from homeport.api.client.asking import Asking, document
from homeport.api.wire.members import (
    ApiKey,
    ApiKeys,
    Invitation,
    MadeApiKey,
    MadeInvitation,
    Member,
    MemberChange,
    NewApiKey,
    NewInvitation,
    NewOperator,
)
from homeport.errors import Code, HomeportError


class People:
    """`/tenants/{tenant}/members|invitations|api-keys`, `/invitations`, `/api-keys`."""

    def __init__(self, asking: Asking) -> None:
        """Ask there."""
        self._asking = asking

    def members(self, tenant: str) -> list[Member]:
        """Return the members, by sign-in name."""
        pages = self._asking.pages(Member, "tenants", tenant, "members")
        return [each for page in pages for each in page.items]

    def member(self, tenant: str, name: str) -> Member:
        """Return the member with this sign-in name; NOT_FOUND."""
        for each in self.members(tenant):
            if each.name == name:
                return each
        raise HomeportError(Code.NOT_FOUND, f"member {name} of {tenant}")

    def set_role(self, tenant: str, account: str, role: str) -> Member:
        """Give a member another role."""
        path = ("tenants", tenant, "members", account)
        said = document(MemberChange, role=role).model_dump(mode="json")
        return self._asking.change(Member, "PATCH", *path, said=said)

    def remove(self, tenant: str, account: str) -> None:
        """Remove a member, with what that member gave out here."""
        self._asking.end("tenants", tenant, "members", account)

    def invitations(self, tenant: str | None) -> list[Invitation]:
        """Return the invitations, also those that have ended."""
        pages = self._asking.pages(Invitation, *_of(tenant, "invitations"))
        return [each for page in pages for each in page.items]

    def invite(self, tenant: str | None, name: str, role: str | None) -> MadeInvitation:
        """Invite somebody: into a tenant in a role, or to operate the platform."""
        said = (
            document(NewOperator, name=name)
            if tenant is None
            else document(NewInvitation, name=name, role=role)
        )
        return self._asking.post(MadeInvitation, *_of(tenant, "invitations"), said=said)

    def revoke_invitation(self, tenant: str | None, invitation: str) -> None:
        """Revoke one that waits."""
        self._asking.end(*_of(tenant, "invitations"), invitation)

    def keys(self, tenant: str | None) -> list[ApiKey]:
        """Return the API keys, also those that have ended."""
        return self._asking.get(ApiKeys, *_of(tenant, "api-keys")).items

    def make_key(
        self, tenant: str | None, title: str, scopes: Iterable[str], expires_at: datetime | None
    ) -> MadeApiKey:
        """Make a key; its token is in the answer this once."""
        said = document(NewApiKey, title=title, scopes=list(scopes), expires_at=expires_at)
        return self._asking.post(MadeApiKey, *_of(tenant, "api-keys"), said=said)

    def revoke_key(self, tenant: str | None, key: str) -> None:
        """End a key at once."""
        self._asking.end(*_of(tenant, "api-keys"), key)


def _of(tenant: str | None, resource: str) -> tuple[str, ...]:
    return (resource,) if tenant is None else ("tenants", tenant, resource)
