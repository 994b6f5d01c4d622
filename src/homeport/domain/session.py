# SPDX-License-Identifier: Apache-2.0
"""A session of a person's browser: a random token in a cookie, kept here as its hash only.

It ends when it was idle for too long, at a fixed age however busy it was, when the person signs out
or ends it from elsewhere, when the password changes, and when the account is disabled.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

ID_LENGTH: Final = 16
"""Hex digits of the token's hash that name a session; they are of no use as a token."""

PROGRAM_MAX: Final = 200
"""Characters of User-Agent that are kept, so that people recognise their browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """How long a session lives."""

    idle: timedelta = timedelta(hours=12)
    absolute: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in browser."""

    token_hash: str = field(repr=False)
    """SHA-256 of the cookie's value, hex."""
    account: str
    started_at: datetime
    seen_at: datetime
    """Noted coarsely: not every request writes."""
    source: str
    """From where it was started: address or IPv6 prefix."""
    program: str
    """What the browser called itself."""

    @property
    def id(self) -> str:
        """Its name for people, in lists."""
        return self.token_hash[:ID_LENGTH]

    def is_alive(self, now: datetime, lifetimes: Lifetimes) -> bool:
        """Say whether it still counts."""
        return now < self.seen_at + lifetimes.idle and now < self.started_at + lifetimes.absolute

    def is_due(self, now: datetime, lifetimes: Lifetimes) -> bool:
        """Say whether its use is to be noted again: after a twentieth of the idle time."""
        return now - self.seen_at >= lifetimes.idle / 20
