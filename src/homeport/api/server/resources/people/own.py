# SPDX-License-Identifier: Apache-2.0
"""A request of a person about himself. Not of a key: it could give itself what it may not do."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import Depends, Request
from pydantic import SecretStr

from homeport.api.server.ask import Ask, Asked
from homeport.api.server.people.authenticator import recognised_in
from homeport.api.server.people.parts import SignInParts
from homeport.domain.account import Account
from homeport.domain.session import Session
from homeport.errors import Code, HomeportError
from homeport.http.source import peer_address, source_of
from homeport.provisioning.ports import Transaction

FRESH: Final = timedelta(minutes=10)
"""How old a session may be that shows a person without a password to be there."""


class Own:
    """A person in a session, and the request."""

    def __init__(self, ask: Ask, people: SignInParts, session: Session, source: str) -> None:
        """Take who asks."""
        self.ask, self.people = ask, people
        self.session: Final = session
        self.source: Final = source

    async def account(self, tx: Transaction) -> Account:
        """Return the account as it is now."""
        account = await tx.accounts.get(self.session.account)
        if account is None:
            raise HomeportError(Code.SIGN_IN_NEEDED)
        return account

    async def demand_presence(self, account: Account, password: SecretStr | None) -> None:
        """Have it shown that the person is there, and not only a cookie that was stolen.

        By the present password; without one, by a session that has just begun at the provider.
        HomeportError(SIGN_IN_REFUSED, TOO_MANY_REQUESTS, SIGN_IN_NEEDED).
        """
        if account.password_hash is not None:
            shown = password.get_secret_value() if password else ""
            desk = self.people.sign_in
            await desk.demand_password(account, self.session.id, shown, self.source)
        elif self.ask.now - self.session.started_at > FRESH:
            detail = "sign in again at the provider, and do it within ten minutes"
            raise HomeportError(Code.SIGN_IN_NEEDED, detail)


async def _own(ask: Asked, request: Request) -> Own:
    found = recognised_in(request)
    if found is None or found.session is None or ask.parts.sign_in is None:
        detail = "only a person who is signed in does this, no key"
        raise HomeportError(Code.ROLE_INSUFFICIENT, detail)
    source = source_of(peer_address(request.scope, ask.parts.proxies))
    return Own(ask, ask.parts.sign_in, found.session, source)


Oneself = Annotated[Own, Depends(_own)]
"""Parameter of a handler that is about whoever is signed in."""
