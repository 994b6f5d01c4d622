# SPDX-License-Identifier: Apache-2.0
"""A request of a person about himself. Not of a key: it could give itself what it may not do."""

from typing import Annotated, Final

from fastapi import Depends, Request

from homeport.api.server.ask import Ask, Asked
from homeport.api.server.people.authenticator import recognised_in
from homeport.api.server.people.parts import SignInParts
from homeport.domain.account import Account
from homeport.domain.session import Session
from homeport.errors import Code, HomeportError
from homeport.http.source import peer_address, source_of
from homeport.provisioning.ports import Transaction


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


async def _own(ask: Asked, request: Request) -> Own:
    found = recognised_in(request)
    if found is None or found.session is None or ask.parts.sign_in is None:
        detail = "only a person who is signed in does this, no key"
        raise HomeportError(Code.ROLE_INSUFFICIENT, detail)
    source = source_of(peer_address(request.scope, ask.parts.proxies))
    return Own(ask, ask.parts.sign_in, found.session, source)


def demand_no_key(request: Request) -> None:
    """Refuse keys that would make keys: such a child would outlive its parent."""
    found = recognised_in(request)
    if found is not None and found.key is not None:
        raise HomeportError(Code.ROLE_INSUFFICIENT, "a key makes no keys")


Oneself = Annotated[Own, Depends(_own)]
"""Parameter of a handler that is about whoever is signed in."""
