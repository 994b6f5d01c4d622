# SPDX-License-Identifier: Apache-2.0
"""A request of somebody who is not known yet: set-up, sign-in, an invitation.

It is not asked who sends it, but pages of other sites may not: else they could sign a browser in as
somebody else (login CSRF).
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Request, Response

from homeport.api.server import problems
from homeport.api.server.ask import NOBODY, PERMISSION_KEY
from homeport.api.server.parts import Parts
from homeport.api.server.people import cookies, known_browsers
from homeport.api.server.people.cross_site import SAFE, demand_same_site, token_for
from homeport.api.server.people.parts import SignInParts
from homeport.api.wire.people import SignedIn
from homeport.domain.account import Account
from homeport.errors import Code, HomeportError
from homeport.http.source import peer_address, source_of
from homeport.provisioning.people.recognise import caller_of
from homeport.provisioning.people.sessions import Visit, start_session
from homeport.provisioning.ports import Transaction

Result = TypeVar("Result")


def open_to_all(*refusals: int) -> dict[str, Any]:
    """Return the arguments of a route that needs no sign-in."""
    return {
        "openapi_extra": {PERMISSION_KEY: NOBODY, "security": []},
        "responses": problems.responses(*refusals),
    }


class Stranger:
    """One request at work, of whoever sends it."""

    def __init__(self, request: Request, response: Response) -> None:
        """Take what is asked; NOT_FOUND at a door where nobody signs in."""
        self.parts: Final[Parts] = request.app.state.parts
        if self.parts.sign_in is None:
            raise HomeportError(Code.NOT_FOUND, "nobody signs in at this door")
        self.people: Final[SignInParts] = self.parts.sign_in
        self.now: Final[datetime] = self.parts.clock.now()
        self.request, self.response = request, response

    @property
    def source(self) -> str:
        """From where it comes."""
        return source_of(peer_address(self.request.scope, self.parts.proxies))

    def visit(self, way: str) -> Visit:
        """Say from where somebody signs in, and how."""
        program = self.request.headers.get("user-agent", "")
        return Visit(source=self.source, program=program, way=way)

    async def read(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Run a verb that only reads."""
        return await self.parts.registry.read(verb)

    async def transact(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Run a verb that writes."""
        return await self.parts.registry.transact(verb)

    async def admit(self, account: Account, way: str, response: Response | None = None) -> SignedIn:
        """Start a session for who was shown to be it."""
        visit, lifetimes = self.visit(way), self.people.lifetimes
        _, token = await self.transact(
            lambda tx: start_session(tx, account, visit, lifetimes=lifetimes, now=self.now)
        )
        return await self.welcome(account, token, response)

    async def welcome(
        self, account: Account, token: str, response: Response | None = None
    ) -> SignedIn:
        """Give the cookies of a session that was started; tell who is signed in."""
        response = response or self.response
        cookies.give(response, cookies.SESSION, token)
        known = self.people.browsers.introduce(account)
        cookies.give(response, cookies.BROWSER, known, known_browsers.LIFETIME)
        caller = await self.read(lambda tx: caller_of(tx, account))
        return SignedIn.of(caller, token_for(token))


async def _stranger(request: Request, response: Response) -> Stranger:
    if request.method not in SAFE:
        demand_same_site(request)
    return Stranger(request, response)


AnyBody = Annotated[Stranger, Depends(_stranger)]
"""Parameter of a handler that needs no sign-in."""
