# SPDX-License-Identifier: Apache-2.0
"""People for tests: a registry in memory with tenants and accounts, and quick passwords."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from argon2 import PasswordHasher

from fakes.registry import FakeRegistry
from homeport.domain.account import Account
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.membership import Member
from homeport.domain.people import Role
from homeport.domain.tenant import Tenant
from homeport.domain.upstream import OURS, Upstream, UpstreamKind
from homeport.provisioning.add_tenant import add_tenant
from homeport.provisioning.people.add_account import NewAccount, add_account
from homeport.provisioning.people.passwords import Passwords
from homeport.provisioning.ports import Transaction

Result = TypeVar("Result")

NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER: Final = NOW + timedelta(hours=1)
PASSWORD: Final = "four words unlike others"
QUICK: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Parameters that cost nothing and protect nothing."""


def quick_passwords() -> Passwords:
    return Passwords(QUICK)


class People:
    """Two tenants; `eve` is admin of acme, `ann` too, `ian` installs there, `op` operates."""

    def __init__(self) -> None:
        self.registry = FakeRegistry()
        self.do(
            lambda tx: tx.upstreams.add(Upstream(name=OURS, kind=UpstreamKind.OURS, added_at=NOW))
        )
        self.tenant("acme")
        self.tenant("bolt")
        self.op = self.account("op", is_operator=True)
        self.eve, self.ann, self.ian = map(self.account, ("eve", "ann", "ian"))
        self.join("acme", self.eve, Role.ADMIN)
        self.join("acme", self.ann, Role.ADMIN)
        self.join("acme", self.ian, Role.INSTALLER)
        self.join("bolt", self.ian, Role.VIEWER)

    def do(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        return asyncio.run(self.registry.transact(verb))

    def see(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        return asyncio.run(self.registry.read(verb))

    def tenant(self, name: str) -> Tenant:
        return self.do(lambda tx: add_tenant(tx, name, title="", actor="op", now=NOW))

    def account(self, name: str, *, is_operator: bool = False) -> Account:
        wanted = NewAccount(name=name, password_hash=QUICK.hash(PASSWORD), is_operator=is_operator)
        return self.do(lambda tx: add_account(tx, wanted, actor="op", now=NOW))

    def join(self, tenant: str, account: Account, role: Role) -> Member:
        member = Member(tenant=tenant, account=account.id, role=role, joined_at=NOW)
        self.do(lambda tx: tx.members.put(member))
        return member

    def member(self, tenant: str, account: Account) -> Member | None:
        return self.see(lambda tx: tx.members.get(tenant, account.id))

    def now_is(self, account: Account) -> Account:
        present = self.see(lambda tx: tx.accounts.get(account.id))
        assert present is not None
        return present

    def told(self, *names: Name) -> list[AuditEvent]:
        events = self.see(lambda tx: tx.audit.since(0))
        return [event for event in events if event.name in names]

    def stories(self, *names: Name) -> list[str]:
        return [event.story() for event in self.told(*names)]
