# SPDX-License-Identifier: Apache-2.0
"""A request becomes a caller: by an API key in `Authorization`, or by the cookie of a session.

A key wins over a cookie. What is wrong with either is not told apart: whoever has none learns
nothing.
"""

from contextlib import suppress
from typing import Final

from starlette.requests import Request

from homeport.api.server.people import cookies
from homeport.api.server.people.cross_site import demand_own_page
from homeport.clock import Clock
from homeport.domain.people import Caller
from homeport.domain.session import Lifetimes
from homeport.errors import Code, HomeportError
from homeport.provisioning.people.recognise import Recognised, by_key, by_session, note_use
from homeport.provisioning.ports import Registry

_SCHEME: Final = "bearer "
_KEY: Final = "recognised"


class BySessionOrKey:
    """The port `Authenticator` for a door on the network."""

    def __init__(self, registry: Registry, clock: Clock, lifetimes: Lifetimes) -> None:
        """Take where sessions and keys are kept, and how long a session lives."""
        self._registry, self._clock, self._lifetimes = registry, clock, lifetimes

    async def caller_of(self, request: Request) -> Caller:
        """Return who asks, or HomeportError(SIGN_IN_NEEDED, CROSS_SITE)."""
        found = await self._recognised(request)
        if found is None:
            raise HomeportError(Code.SIGN_IN_NEEDED)
        setattr(request.state, _KEY, found)
        if found.is_due:
            await self._note_use(found)
        return found.caller

    async def still(self, request: Request) -> Caller:
        """Return who asked, as it is now, without keeping the session alive."""
        found = await self._recognised(request)
        if found is None:
            raise HomeportError(Code.SIGN_IN_NEEDED)
        return found.caller

    async def _note_use(self, found: Recognised) -> None:
        now = self._clock.now()
        # With a full disk people can still look at what is there: a note is not worth a refusal.
        with suppress(HomeportError):
            await self._registry.transact(lambda tx: note_use(tx, found, now=now))

    async def _recognised(self, request: Request) -> Recognised | None:
        now = self._clock.now()
        authorization = request.headers.get("authorization")
        if authorization is not None:
            if not authorization.lower().startswith(_SCHEME):
                return None
            token = authorization[len(_SCHEME) :].strip()
            return await self._registry.read(lambda tx: by_key(tx, token, now=now))
        cookie = cookies.read(request, cookies.SESSION)
        if cookie is None:
            return None
        lifetimes = self._lifetimes
        found = await self._registry.read(
            lambda tx: by_session(tx, cookie, lifetimes=lifetimes, now=now)
        )
        if found is not None:
            demand_own_page(request, cookie)
        return found


def recognised_in(request: Request) -> Recognised | None:
    """Return by what the caller of this request was recognised; None at a door without sign-in."""
    found: Recognised | None = getattr(request.state, _KEY, None)
    return found
