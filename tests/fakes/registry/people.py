# SPDX-License-Identifier: Apache-2.0
"""People and programs in memory."""

from collections.abc import Sequence
from dataclasses import replace

from fakes.registry.rows import Rows, keepable
from homeport.domain.account import Account, Identity
from homeport.domain.api_key import ApiKey
from homeport.domain.membership import Invitation, Member
from homeport.domain.people import Role
from homeport.domain.session import Session
from homeport.errors import Code, HomeportError


def demand(rows: Rows, *, tenant: str | None = None, account: str | None = None) -> None:
    """What a foreign key does."""
    is_there = tenant is None or tenant in rows.tenants
    if not is_there or (account is not None and account not in rows.accounts):
        raise HomeportError(Code.NOT_FOUND, "a row names something that is not there")


class FakeAccounts:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows.accounts

    async def get(self, account: str) -> Account | None:
        return self._rows.get(account)

    async def named(self, name: str) -> Account | None:
        found = (account for account in self._rows.values() if account.name == name)
        return next(found, None)

    async def page(self, *, after: str | None, limit: int) -> Sequence[Account]:
        beyond = [account for account in self._rows.values() if account.name > (after or "")]
        return sorted(beyond, key=lambda account: account.name)[:limit]

    async def operators(self) -> int:
        return sum(a.is_operator and not a.is_disabled for a in self._rows.values())

    async def put(self, account: Account) -> None:
        same = await self.named(account.name)
        if same and same.id != account.id:
            raise HomeportError(Code.ALREADY_EXISTS, account.name)
        known = self._rows.get(account.id)
        if known:
            account = replace(account, made_at=known.made_at)
        self._rows[account.id] = keepable(account)


class FakeIdentities:
    def __init__(self, rows: Rows) -> None:
        self._all, self._rows = rows, rows.identities

    async def get(self, issuer: str, subject: str) -> Identity | None:
        return self._rows.get((issuer, subject))

    async def of_account(self, account: str) -> Sequence[Identity]:
        found = [identity for identity in self._rows.values() if identity.account == account]
        return sorted(found, key=lambda identity: (identity.issuer, identity.subject))

    async def add(self, identity: Identity) -> None:
        if (identity.issuer, identity.subject) in self._rows:
            raise HomeportError(Code.ALREADY_EXISTS, identity.subject)
        demand(self._all, account=identity.account)
        self._rows[identity.issuer, identity.subject] = keepable(identity)

    async def remove(self, identity: Identity) -> None:
        self._rows.pop((identity.issuer, identity.subject), None)


class FakeMembers:
    def __init__(self, rows: Rows) -> None:
        self._all, self._rows = rows, rows.members

    async def get(self, tenant: str, account: str) -> Member | None:
        return self._rows.get((tenant, account))

    async def of_tenant(
        self, tenant: str, *, after: str | None, limit: int
    ) -> Sequence[tuple[Member, Account]]:
        found = [
            (member, self._all.accounts[member.account])
            for member in self._rows.values()
            if member.tenant == tenant and self._all.accounts[member.account].name > (after or "")
        ]
        return sorted(found, key=lambda pair: pair[1].name)[:limit]

    async def of_account(self, account: str) -> Sequence[Member]:
        found = [member for member in self._rows.values() if member.account == account]
        return sorted(found, key=lambda member: member.tenant)

    async def admins(self, tenant: str) -> int:
        return sum(
            member.tenant == tenant
            and member.role is Role.ADMIN
            and not self._all.accounts[member.account].is_disabled
            for member in self._rows.values()
        )

    async def put(self, member: Member) -> None:
        demand(self._all, tenant=member.tenant, account=member.account)
        known = self._rows.get((member.tenant, member.account))
        if known:
            member = replace(known, role=member.role)
        self._rows[member.tenant, member.account] = keepable(member)

    async def remove(self, member: Member) -> None:
        self._rows.pop((member.tenant, member.account), None)


class FakeInvitations:
    def __init__(self, rows: Rows) -> None:
        self._all, self._rows = rows, rows.invitations

    async def get(self, invitation: str) -> Invitation | None:
        return self._rows.get(invitation)

    async def with_code(self, code_hash: str) -> Invitation | None:
        found = (each for each in self._rows.values() if each.code_hash == code_hash)
        return next(found, None)

    async def of_tenant(
        self, tenant: str | None, *, after: str | None, limit: int
    ) -> Sequence[Invitation]:
        found = [
            each
            for each in self._rows.values()
            if each.tenant == tenant and each.id > (after or "")
        ]
        return sorted(found, key=lambda each: each.id)[:limit]

    async def unsettled_by(self, maker: str) -> Sequence[Invitation]:
        found = (each for each in self._rows.values() if each.maker == maker and not each.settled)
        return sorted(found, key=lambda each: each.id)

    async def put(self, invitation: Invitation) -> None:
        demand(self._all, tenant=invitation.tenant, account=invitation.account)
        known = self._rows.get(invitation.id)
        if known:
            invitation = replace(
                known, settled=invitation.settled, settled_at=invitation.settled_at
            )
        self._rows[invitation.id] = keepable(invitation)


class FakeSessions:
    def __init__(self, rows: Rows) -> None:
        self._all, self._rows = rows, rows.sessions

    async def get(self, token_hash: str) -> Session | None:
        return self._rows.get(token_hash)

    async def of_account(self, account: str) -> Sequence[Session]:
        found = [session for session in self._rows.values() if session.account == account]
        return sorted(found, key=lambda session: (session.started_at, session.token_hash))

    async def put(self, session: Session) -> None:
        demand(self._all, account=session.account)
        known = self._rows.get(session.token_hash)
        if known:
            session = replace(known, seen_at=session.seen_at)
        self._rows[session.token_hash] = keepable(session)

    async def remove(self, session: Session) -> None:
        self._rows.pop(session.token_hash, None)


class FakeApiKeys:
    def __init__(self, rows: Rows) -> None:
        self._all, self._rows = rows, rows.api_keys

    async def get(self, key: str) -> ApiKey | None:
        return self._rows.get(key)

    async def of_holder(self, *, tenant: str | None, account: str | None) -> Sequence[ApiKey]:
        found = [
            key for key in self._rows.values() if (key.tenant, key.account) == (tenant, account)
        ]
        return sorted(found, key=lambda key: (key.made_at, key.id))

    async def unrevoked_by(self, maker: str) -> Sequence[ApiKey]:
        found = (k for k in self._rows.values() if k.maker == maker and k.revoked_at is None)
        return sorted(found, key=lambda key: (key.made_at, key.id))

    async def put(self, key: ApiKey) -> None:
        demand(self._all, tenant=key.tenant, account=key.account)
        known = self._rows.get(key.id)
        if known:
            key = replace(known, used_at=key.used_at, revoked_at=key.revoked_at)
        self._rows[key.id] = keepable(key)
