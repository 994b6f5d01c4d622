# SPDX-License-Identifier: Apache-2.0
"""A key for programs: `hpk_<id>_<secret>`, shown once, kept as its hash only.

Whose it is says what it may at most: a tenant's counts in that tenant; a person's acts as the
person, with the roles of that moment; one of neither is the platform's and acts as its operator.
The scopes narrow that down. The beginning `hpk_<id>` is no secret: it is how a key is recognised in
lists, in logs, and by programs that look for leaked keys.
"""

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from homeport.domain.people import Permission
from homeport.domain.tokens import new_token

PREFIX: Final = "hpk_"
TITLE_MAX: Final = 100
"""Characters of what a key is called."""

USE_NOTED_EVERY: Final = timedelta(hours=1)
"""How coarsely its last use is noted: a busy program costs one write an hour."""

OPERATOR_ONLY: Final = frozenset({Permission.PLATFORM_OPERATE, Permission.SALES_WRITE})
"""Scopes that mean nothing within a tenant."""

_TOKEN: Final = re.compile(r"hpk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One key, without its secret."""

    id: str
    secret_hash: str = field(repr=False)
    """SHA-256 of the whole token, hex."""
    title: str
    """What it is for, as people write it."""
    tenant: str | None = None
    account: str | None = None
    scopes: frozenset[Permission]
    made_by: str
    maker: str | None = None
    """Id of the account that answers for it; None: made at the machine itself."""
    made_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def prefix(self) -> str:
        """The part by which it is recognised."""
        return PREFIX + self.id

    def is_valid(self, now: datetime) -> bool:
        """Say whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def is_due(self, now: datetime) -> bool:
        """Say whether its use is to be noted again."""
        return self.used_at is None or now - self.used_at >= USE_NOTED_EVERY


def make_token() -> tuple[str, str]:
    """Return a new key's id and its whole token (256 random bits)."""
    identifier = secrets.token_hex(6)
    return identifier, f"{PREFIX}{identifier}_{new_token()}"


def id_in(token: str) -> str | None:
    """Return the id in a token; None if it is none of ours."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else None
