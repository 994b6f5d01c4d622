# SPDX-License-Identifier: Apache-2.0
"""One request at work: who asks, what the route permits, and the way to the registry.

Rules: a handler names the permission once, on its route (`needs`), and demands it at the object,
inside the transaction. What was read without a demand is not given out, what was changed without
one is undone: to forget it is a fault of ours, never a hole.
"""

import hashlib
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Header, Request, Response

from homeport.api.server import problems
from homeport.api.server.etags import demand_match, tag_of
from homeport.api.server.parts import Parts
from homeport.api.wire.model import Document
from homeport.domain.people import Caller, Permission
from homeport.errors import Code, HomeportError
from homeport.provisioning.once import once
from homeport.provisioning.ports import Registry, Transaction

Result = TypeVar("Result")
Answer = TypeVar("Answer", bound=Document)

PERMISSION_KEY: Final = "x-permission"
"""Field of an operation in OpenAPI: what it needs."""

SIGNED_IN: Final = "signed-in"
"""Written there where anybody may ask about himself."""

NOBODY: Final = "nobody"
"""Written there where no sign-in is needed."""


def needs(permission: Permission | None, *refusals: int, **more: Any) -> dict[str, Any]:
    """Return the arguments of a route: the permission that it demands, and its own refusals.

    None: whoever is signed in may ask, about himself. 422 is for content that has to be proven;
    409 and 412 are those of changes. `more` is for OpenAPI.
    """
    return {
        "openapi_extra": {PERMISSION_KEY: permission or SIGNED_IN, **more},
        "responses": problems.responses(*refusals),
    }


class Ask:
    """One request at work."""

    def __init__(self, parts: Parts, caller: Caller, request: Request, response: Response) -> None:
        """Take who asks, and what."""
        self.parts: Final = parts
        self.caller: Final = caller
        self.now: Final[datetime] = parts.clock.now()
        self._request, self._response = request, response
        extra = request.scope["route"].openapi_extra or {}
        permission = extra[PERMISSION_KEY]
        self._permission = None if permission == SIGNED_IN else Permission(permission)
        self._has_demanded = self._permission is None

    @property
    def actor(self) -> str:
        """For the audit trail."""
        return self.caller.actor

    def demand(self, tenant: str | None, what: str) -> None:
        """Refuse if the route's permission is not given in the tenant; `what` is for the answer.

        NOT_FOUND for what is not theirs, ROLE_INSUFFICIENT for what is.
        """
        self._has_demanded = True
        if self._permission is not None:
            self.caller.demand(self._permission, tenant, what)

    def tenants(self) -> Collection[str] | None:
        """Return the tenants whose objects may be listed (None: all).

        ROLE_INSUFFICIENT if none of the caller's is; who belongs to no tenant sees an empty list.
        """
        self._has_demanded = True
        permission = self._permission
        if permission is None or self.caller.may(permission, None):
            return None
        allowed = [name for name in self.caller.roles if self.caller.may(permission, name)]
        if self.caller.roles and not allowed:
            raise HomeportError(Code.ROLE_INSUFFICIENT, f"{self.actor} lacks {permission}")
        return allowed

    async def read(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Run a verb that only reads."""
        return await self.parts.registry.read(self._guarded(verb))

    async def transact(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Run a verb that writes and may be repeated without harm (PUT, PATCH, DELETE)."""
        return await self.parts.registry.transact(self._guarded(verb))

    async def once(
        self,
        answer: type[Answer],
        verb: Callable[[Transaction], Awaitable[Answer]],
        *,
        is_secret: bool = False,
    ) -> Answer:
        """Run a verb of a POST; with an Idempotency-Key once only, then its first answer again.

        An answer with a secret in it is not kept: a repetition is then refused (ALREADY_EXISTS).
        """
        key = self._request.headers.get("idempotency-key")
        if key is None:
            return await self.transact(verb)
        request = await self.fingerprint()

        async def kept(tx: Transaction) -> tuple[Answer | None, str]:
            made: list[Answer] = []

            async def work() -> str:
                made.append(await self._guarded(verb)(tx))
                return "" if is_secret else made[0].model_dump_json()

            said = await once(tx, (self._who(), key), request, work, now=self.now)
            return (made[0] if made else None), said

        fresh, said = await self.parts.registry.transact(kept)
        if fresh is not None:
            return fresh
        if not said:
            raise HomeportError(Code.ALREADY_EXISTS, "its answer held a secret, and is shown once")
        self._response.headers["idempotency-replayed"] = "true"
        return answer.model_validate_json(said)

    async def answered(self, answer: type[Answer]) -> Answer | None:
        """Return what this very request was answered before, for a verb of several transactions.

        IDEMPOTENCY_KEY_USED if its key came with another request. Such a verb does nothing twice
        by itself; its answer is kept by `once` at the end.
        """
        key = self._request.headers.get("idempotency-key")
        if key is None:
            return None
        kept = await self.parts.registry.read(lambda tx: tx.answers.get(self._who(), key))
        if kept is None:
            return None
        if kept.request != await self.fingerprint():
            raise HomeportError(Code.IDEMPOTENCY_KEY_USED, key)
        self._response.headers["idempotency-replayed"] = "true"
        return answer.model_validate_json(kept.answer)

    def registry(self) -> Registry:
        """Return the registry, for a verb that needs more than a transaction; demand first."""
        if not self._has_demanded:
            raise RuntimeError("the permission was not demanded")
        return self.parts.registry

    def tag(self, *facts: object) -> None:
        """Answer with the ETag of a thing whose changeable facts are these."""
        self._response.headers["etag"] = tag_of(*facts)

    def demand_match(self, *facts: object, what: str) -> None:
        """Refuse if the thing is not as the caller's If-Match says (CHANGED_MEANWHILE)."""
        demand_match(self._request.headers.get("if-match"), tag_of(*facts), what)

    @property
    def is_conditional(self) -> bool:
        """Whether the caller says what it has seen (If-Match)."""
        return "if-match" in self._request.headers

    def _guarded(
        self, verb: Callable[[Transaction], Awaitable[Result]]
    ) -> Callable[[Transaction], Awaitable[Result]]:
        async def guarded(tx: Transaction) -> Result:
            result = await verb(tx)
            if not self._has_demanded:
                raise RuntimeError("the permission was not demanded")
            return result

        return guarded

    def _who(self) -> str:
        """Name the caller and all it may: who lost a role gets nothing of before again."""
        caller = self.caller
        roles = sorted(caller.roles.items())
        scopes = None if caller.scopes is None else sorted(caller.scopes)
        said = repr((caller.actor, caller.account, caller.is_operator, roles, scopes))
        return hashlib.sha256(said.encode()).hexdigest()

    async def fingerprint(self) -> str:
        """Return a hash of all that is asked."""
        request = self._request
        head = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
        return hashlib.sha256(head + await request.body()).hexdigest()


async def _asking(request: Request, response: Response) -> Ask:
    parts: Parts = request.app.state.parts
    return Ask(parts, await parts.authenticator.caller_of(request), request, response)


async def _posting(
    ask: Annotated[Ask, Depends(_asking)],
    _key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=100,
            description="Chosen by the caller, new for each new request; kept for a day.",
        ),
    ] = None,
) -> Ask:
    return ask


async def _changing(
    ask: Annotated[Ask, Depends(_asking)],
    _tag: Annotated[
        str | None,
        Header(alias="If-Match", max_length=1000, description="The ETag that was read last."),
    ] = None,
) -> Ask:
    return ask


async def _acting(
    ask: Annotated[Ask, Depends(_posting)],
    _same: Annotated[Ask, Depends(_changing)],
) -> Ask:
    return ask


Asked = Annotated[Ask, Depends(_asking)]
"""Parameter of a handler that reads."""

Posted = Annotated[Ask, Depends(_posting)]
"""Parameter of a handler of a POST: takes an Idempotency-Key."""

Acted = Annotated[Ask, Depends(_acting)]
"""Parameter of a handler of a POST about something that is there: takes both headers."""

Changed = Annotated[Ask, Depends(_changing)]
"""Parameter of a handler of a PUT, PATCH or DELETE: takes If-Match."""
