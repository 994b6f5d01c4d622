# SPDX-License-Identifier: Apache-2.0
"""Who asks: a request becomes a `Caller`, or is refused."""

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from homeport.domain.people import Caller


class Authenticator(Protocol):
    """Finds out who sends a request."""

    async def caller_of(self, request: Request) -> Caller:
        """Return who asks; HomeportError(SIGN_IN_NEEDED) if nothing shows who it is."""
        ...

    async def still(self, request: Request) -> Caller:
        """Return who asked, as it is now; an answer that goes on for long is no use of a session.

        HomeportError(SIGN_IN_NEEDED) if the session or key has ended meanwhile.
        """
        ...


@dataclass(frozen=True, slots=True)
class LocalOperator:
    """Whoever can read the platform's data directory is its operator: the command line's own way.

    Only for a door that is inside the command's process; never one on a network.
    """

    actor: str

    async def caller_of(self, _request: Request) -> Caller:
        """Return the operator."""
        return Caller(actor=self.actor, is_operator=True)

    async def still(self, request: Request) -> Caller:
        """Return the operator."""
        return await self.caller_of(request)
