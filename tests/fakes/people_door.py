# SPDX-License-Identifier: Apache-2.0
"""The people's door over any registry, asked in-process by whomever a test names."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request as HttpRequest

from fakes.clock import SelfTurningClock, TurnedClock
from fakes.people import quick_passwords
from homeport.api import PREFIX
from homeport.api.client.transport import Answer, InProcess, Request
from homeport.api.server.app import make_app
from homeport.api.server.guessing import ClaimGuesses
from homeport.api.server.oidc.flow import Flows
from homeport.api.server.parts import Parts
from homeport.api.server.people.known_browsers import KnownBrowsers
from homeport.api.server.people.parts import SignInParts
from homeport.api.server.people.set_up import SetUpCode
from homeport.api.server.people.sign_in import SignIn
from homeport.domain.people import Caller, Permission, Role
from homeport.domain.session import Lifetimes, Session
from homeport.domain.tokens import hash_token
from homeport.errors import Code, HomeportError
from homeport.http.asgi import Scope
from homeport.provisioning.people.recognise import Recognised
from homeport.provisioning.ports import Registry

CALLER_HEADER: Final = "x-test-caller"

OPERATOR: Final = Caller(actor="olga", account="1", is_operator=True)


def member(role: Role, tenant: str = "acme", scopes: Iterable[Permission] | None = None) -> Caller:
    """One person in one tenant."""
    only = None if scopes is None else frozenset(scopes)
    return Caller(actor=f"{role}@{tenant}", account=tenant, roles={tenant: role}, scopes=only)


def session_of(account: str, token: str = "") -> Session:
    """The session in which a caller of this account asks."""
    now = TurnedClock().now()
    return Session(
        token_hash=hash_token(account + token),
        account=account,
        started_at=now,
        seen_at=now,
        source="192.0.2.1",
        program="Browser/1.0",
    )


class ByHeader:
    """Believes what a header says."""

    def __init__(self) -> None:
        self.callers: dict[str, Caller] = {}

    async def caller_of(self, request: HttpRequest) -> Caller:
        name = request.headers.get(CALLER_HEADER)
        if name not in self.callers:
            raise HomeportError(Code.SIGN_IN_NEEDED, "nobody")
        caller = self.callers[name]
        if caller.account is not None:
            recognised = Recognised(caller=caller, session=session_of(caller.account))
            request.state.recognised = recognised
        return caller

    async def still(self, request: HttpRequest) -> Caller:
        return await self.caller_of(request)


@dataclass
class PeopleDoor:
    """A door, and what it noted."""

    registry: Registry
    runner: asyncio.Runner
    clock: TurnedClock = field(default_factory=SelfTurningClock)
    noted: list[Exception] = field(default_factory=list)
    people: ByHeader = field(default_factory=ByHeader)

    def __post_init__(self) -> None:
        parts = Parts(
            registry=self.registry,
            authenticator=self.people,
            clock=self.clock,
            noted=self._note,
            sign_in=self._sign_in(),
            guesses=ClaimGuesses(self.clock),
        )
        self.app = make_app(parts)

    def _sign_in(self) -> SignInParts:
        passwords, browsers, lifetimes = quick_passwords(), KnownBrowsers(b"secret"), Lifetimes()
        desk = SignIn(self.registry, passwords, browsers, self.clock, lifetimes)
        return SignInParts(
            passwords=passwords,
            sign_in=desk,
            browsers=browsers,
            flows=Flows(b"secret", self.clock),
            lifetimes=lifetimes,
            set_up=SetUpCode(Path("/nonexistent")),
            may_found_tenants=True,
        )

    def _note(self, _scope: Scope, error: Exception) -> None:
        self.noted.append(error)

    def ask(
        self,
        method: str,
        path: str,
        caller: Caller | None = OPERATOR,
        *,
        said: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] = b"",
    ) -> Answer:
        """Ask below the prefix; `said` is sent as JSON."""
        sent = dict(headers or {})
        if caller is not None:
            self.people.callers[caller.actor] = caller
            sent[CALLER_HEADER] = caller.actor
        if said is not None:
            body = json.dumps(said).encode()
            sent.setdefault("content-type", "application/json")
        request = Request(
            method=method, path=PREFIX + path, query=urlencode(query or {}), headers=sent, body=body
        )
        return InProcess(self.app, self.runner).send(request)


def document(answer: Answer) -> Any:
    """The JSON of an answer."""
    return json.loads(answer.body)
