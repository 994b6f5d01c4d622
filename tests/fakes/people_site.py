# SPDX-License-Identifier: Apache-2.0
"""A people's door at which people really sign in, over a registry in memory."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes.browser import Browser
from fakes.clock import TurnedClock
from fakes.people import NOW, PASSWORD, People, quick_passwords
from homeport.api.client.transport import Answer
from homeport.api.server.app import make_app
from homeport.api.server.oidc.flow import Flows
from homeport.api.server.oidc.provider import Provider
from homeport.api.server.parts import Parts
from homeport.api.server.people.authenticator import BySessionOrKey
from homeport.api.server.people.known_browsers import KnownBrowsers
from homeport.api.server.people.parts import SignInParts
from homeport.api.server.people.set_up import SetUpCode
from homeport.api.server.people.sign_in import SignIn
from homeport.domain.session import Lifetimes
from homeport.http.asgi import Scope


@dataclass
class PeopleSite:
    """The door, its people (see `People`), and browsers at it."""

    directory: Path
    runner: asyncio.Runner
    may_found_tenants: bool = False
    provider: Provider | None = None
    clock: Any = field(default_factory=lambda: TurnedClock(NOW))
    noted: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.people = People()
        registry = self.people.registry
        self.lifetimes = Lifetimes()
        self.set_up = SetUpCode(self.directory)
        passwords, browsers = quick_passwords(), KnownBrowsers(b"secret of the platform")
        self.desk = SignIn(registry, passwords, browsers, self.clock, self.lifetimes)
        self.app = make_app(
            Parts(
                registry=registry,
                authenticator=BySessionOrKey(registry, self.clock, self.lifetimes),
                clock=self.clock,
                noted=self._note,
                sign_in=SignInParts(
                    passwords=passwords,
                    sign_in=self.desk,
                    browsers=browsers,
                    flows=Flows(b"secret of the platform", self.clock),
                    lifetimes=self.lifetimes,
                    set_up=self.set_up,
                    may_found_tenants=self.may_found_tenants,
                    provider=self.provider,
                ),
            )
        )

    def browser(self, address: str = "192.0.2.1") -> Browser:
        """A new browser at an address."""
        return Browser(self.app, self.runner, address)

    def signed_in(self, name: str, address: str = "192.0.2.1") -> Browser:
        """A new browser in which the person is signed in."""
        browser = self.browser(address)
        answer = browser.sign_in(name, PASSWORD)
        assert answer.status == 201, answer.body
        return browser

    def program(self, token: str) -> "Program":
        """A program with an API key."""
        return Program(self.browser(), token)

    def _note(self, _scope: Scope, error: Exception) -> None:
        self.noted.append(error)


@dataclass
class Program:
    """Sends an API key, no cookie, nothing that browsers send."""

    browser: Browser
    token: str

    def ask(self, method: str, path: str, said: Any = None) -> Answer:
        self.browser.page = None
        return self.browser.ask(
            method, path, said, headers={"authorization": f"Bearer {self.token}"}
        )


def document(answer: Answer) -> Any:
    """The JSON of an answer."""
    return json.loads(answer.body)


def code_of(answer: Answer) -> str:
    """The code of a refusal."""
    assert answer.status >= 400, answer.body
    code: str = document(answer)["code"]
    return code
