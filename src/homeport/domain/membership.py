# SPDX-License-Identifier: Apache-2.0
"""Who belongs to which tenant, as what, and how one gets in: by an invitation.

The platform sends no mail: an invitation is a code that is shown once, to whoever invites, and
handed over by any way that is trusted. Whoever has it may use it, once.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from homeport.domain.people import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An account in a tenant."""

    tenant: str
    account: str
    role: Role
    joined_at: datetime


class Purpose(StrEnum):
    """What the code of an invitation is for."""

    MEMBER = "member"  # to join a tenant in a role
    OPERATOR = "operator"  # to operate the platform
    PASSWORD = "password"  # to choose a new password  # noqa: S105 - the word, not one


class Settled(StrEnum):
    """How an invitation ended."""

    ACCEPTED = "accepted"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A code that was given to somebody."""

    id: str
    code_hash: str = field(repr=False)
    """SHA-256 of the code, hex."""
    purpose: Purpose
    name: str
    """The sign-in name of the account that it makes, if whoever accepts has none yet."""
    tenant: str | None = None
    role: Role | None = None
    account: str | None = None
    """Whose password it changes."""
    invited_by: str
    maker: str | None = None
    """Id of the account that answers for it, also where its API key invited."""
    invited_at: datetime
    expires_at: datetime
    settled: Settled | None = None
    settled_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Say whether the code still works."""
        return self.settled is None and now < self.expires_at


def new_invitation_id() -> str:
    """Return an id that tells nothing of the code."""
    return secrets.token_hex(8)
