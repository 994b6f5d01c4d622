# SPDX-License-Identifier: Apache-2.0
"""Sign in by name and password, with guesses slowed down and nobody locked out.

Three limits, from the outside in (docs/threat-model.md says why):
- a source may try only so many names and passwords, whosever they are;
- one name from one source: pauses that grow;
- one name from all unknown browsers together: a slow, even rate, against guesses from many sources.
A browser from which the account signed in before has tries of its own instead of the last two.

A name that nobody has, a wrong password and a disabled account get the same answer after the same
work: one look-up, one hash, one audit event. All limits count by the name as typed.
"""

import unicodedata
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from homeport.api.server.people.known_browsers import KnownBrowsers
from homeport.clock import Clock
from homeport.domain.account import PASSWORD_MAX, Account
from homeport.domain.session import Lifetimes
from homeport.errors import Code, HomeportError
from homeport.http.guesses import Guesses
from homeport.http.throttle import Throttle
from homeport.provisioning.people.passwords import Passwords
from homeport.provisioning.people.sessions import Visit, note_refused, start_session
from homeport.provisioning.ports import Registry

SOURCE_RATE: Final = 0.5
SOURCE_BURST: Final = 30
"""Tries of one source, a second and at once: an office comes to work behind one address."""

STRANGERS_RATE: Final = 10 / timedelta(hours=1).total_seconds()
STRANGERS_BURST: Final = 60
"""Tries for one name from all unknown browsers together: 300 in the first day. One source alone
does not use them up, as its own pauses grow."""


CHOICES_RATE: Final = 1 / 60
CHOICES_BURST: Final = 5
"""Passwords that may be chosen by one invitation, which is accepted once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """Who wants in, and from where."""

    name: str
    password: str
    browser: str | None
    """The cookie of a known browser."""
    visit: Visit


class SignIn:
    """The desk at which names and passwords are shown."""

    def __init__(
        self,
        registry: Registry,
        passwords: Passwords,
        browsers: KnownBrowsers,
        clock: Clock,
        lifetimes: Lifetimes,
    ) -> None:
        """Begin with nobody slowed down."""
        self._registry, self._passwords, self._browsers = registry, passwords, browsers
        self._clock, self._lifetimes = clock, lifetimes
        self._sources = Throttle(rate=SOURCE_RATE, burst=SOURCE_BURST, clock=clock)
        self._choices = Throttle(rate=CHOICES_RATE, burst=CHOICES_BURST, clock=clock)
        self._guesses = Guesses(clock)
        self._strangers = Throttle(rate=STRANGERS_RATE, burst=STRANGERS_BURST, clock=clock)

    def count_choice(self, invitation: str, source: str) -> None:
        """Count that a password is chosen by an invitation, which costs a hash as a try does.

        HomeportError(TOO_MANY_REQUESTS).
        """
        self._sources.take(source)
        self._choices.take(invitation)

    async def knock(self, knock: Knock) -> tuple[Account, str]:
        """Start a session; return whose, and its token.

        HomeportError(SIGN_IN_REFUSED), or TOO_MANY_REQUESTS with the time to wait.
        """
        source = knock.visit.source
        self._sources.take(source)
        name = knock.name.lower()
        account = await self._registry.read(lambda tx: tx.accounts.named(name))
        guess = self._count(name, source, self._browsers.browser_in(knock.browser, account))
        better = await self._checked(account, knock, source)
        if account is None:  # cannot be: nobody's password is right
            raise HomeportError(Code.SIGN_IN_REFUSED)
        now, lifetimes = self._clock.now(), self._lifetimes
        _, token = await self._registry.transact(
            lambda tx: start_session(
                tx, account, knock.visit, lifetimes=lifetimes, password_hash=better, now=now
            )
        )
        self._guesses.forgive(guess)
        return replace(account, password_hash=better or account.password_hash), token

    async def demand_password(
        self, account: Account, session: str, password: str, source: str
    ) -> None:
        """Have a person who is signed in show the password again, for what matters."""
        guess = ("again", session)
        self._sources.take(source)
        self._guesses.begin(guess)
        await self._right(account, password, source)
        self._guesses.forgive(guess)

    def _count(self, name: str, source: str, browser: str | None) -> tuple[str, ...]:
        if browser is not None:
            guess: tuple[str, ...] = ("known", name, browser)
            self._guesses.begin(guess)
            return guess
        guess = ("strange", name, source)
        self._guesses.begin(guess)
        self._strangers.take(name)
        return guess

    async def _checked(self, account: Account | None, knock: Knock, source: str) -> str | None:
        """Refuse a wrong password; return a better hash if the kept one is weak."""
        await self._right(account, knock.password, source)
        kept = account.password_hash if account else None
        if kept is None or not self._passwords.is_weak(kept):
            return None
        with suppress(HomeportError):  # many choose one just now: it is made better another day
            return await self._passwords.hash(_normal(knock.password))
        return None

    async def _right(self, account: Account | None, password: str, source: str) -> None:
        kept = account.password_hash if account else None
        if await self._passwords.is_right(kept, _normal(password)) and not (
            account and account.is_disabled
        ):
            return
        now = self._clock.now()
        await self._registry.transact(
            lambda tx: note_refused(tx, account, source=source, reason="password", now=now)
        )
        raise HomeportError(Code.SIGN_IN_REFUSED)


def _normal(password: str) -> str:
    """The form that is hashed; what is too long to be one is cut, and so is wrong."""
    return unicodedata.normalize("NFC", password[: PASSWORD_MAX + 1])
