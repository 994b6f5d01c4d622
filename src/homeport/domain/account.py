# SPDX-License-Identifier: Apache-2.0
"""An account: one person (or one program with a password) that signs in.

Rules: a sign-in name is ASCII in lower case, so that no two names look alike and none has two
spellings; a password is never kept, only its argon2id hash, which nothing prints. What an account
may do hangs on its memberships (`homeport.domain.membership`); an operator's may do everything.
"""

import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from homeport.errors import Code, HomeportError, MalformedError

NAME_MAX: Final = 254
"""Characters of a sign-in name: an e-mail address (RFC 5321 section 4.5.3.1.3) fits."""
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._+@-]*[a-z0-9])?")
RESERVED: Final = frozenset(
    {
        "broker", "device", "factory", "homeport", "key", "manufacturer", "nobody", "operator",
        "platform", "stranger", "system",
    }
)  # fmt: skip
"""Who acts in the audit trail without an account: a person of that name would be taken for it."""

PASSWORD_MIN: Final = 12
"""Characters. Length is what counts (NIST SP 800-63B section 5.1.1); no rules of composition."""
PASSWORD_MAX: Final = 256
"""Characters; a limit, so that nobody has megabytes hashed."""
DIFFERENT_MIN: Final = 5
"""Different characters: refuses "aaaaaaaaaaaa" and "121212121212"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who signs in."""

    id: str
    name: str
    """What is typed to sign in: an e-mail address or a plain name."""
    password_hash: str | None = field(default=None, repr=False)
    """argon2id in PHC form; None: signs in at the OpenID provider only."""
    is_operator: bool = False
    """Whether it operates the platform."""
    has_founded: bool = False
    """Whether it founded a tenant of its own; that remains so when it leaves it."""
    made_at: datetime
    disabled_at: datetime | None = None

    @property
    def is_disabled(self) -> bool:
        """Whether it may not sign in."""
        return self.disabled_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a person is at an OpenID provider.

    The pair is what the provider promises never to give to another (OpenID Connect Core section
    5.7); an e-mail address is not.
    """

    issuer: str
    subject: str
    account: str
    linked_at: datetime

    @property
    def id(self) -> str:
        """Its name in lists and addresses."""
        return hashlib.sha256(f"{self.issuer}\n{self.subject}".encode()).hexdigest()[:16]


def new_account_id() -> str:
    """Return an id that says nothing about the person."""
    return secrets.token_hex(10)


def check_sign_in_name(text: str) -> str:
    """Return the name, or refuse it with an explanation (MalformedError)."""
    if len(text) > NAME_MAX or not _NAME.fullmatch(text):
        raise MalformedError(
            f"sign-in name {text[:60]!r}: use 1 to {NAME_MAX} of a-z, 0-9 and . _ + @ -,"
            " beginning and ending with a letter or digit"
        )
    if text in RESERVED:
        raise MalformedError(f"sign-in name {text!r}: the audit trail means something else by it")
    return text


def check_password(password: str, name: str) -> str:
    """Return the password as it is hashed (NFC, RFC 8265 section 4.2), or PASSWORD_UNSUITABLE.

    The detail does not repeat it.
    """
    normal = unicodedata.normalize("NFC", password)
    if len(normal) < PASSWORD_MIN:
        raise _unsuitable(f"shorter than {PASSWORD_MIN} characters")
    if len(normal) > PASSWORD_MAX:
        raise _unsuitable(f"longer than {PASSWORD_MAX} characters")
    if not normal.isprintable():
        raise _unsuitable("it has characters that cannot be typed")
    if len(set(normal)) < DIFFERENT_MIN:
        raise _unsuitable(f"fewer than {DIFFERENT_MIN} different characters")
    folded, person = normal.casefold(), name.partition("@")[0]
    if folded in {name, person} or (len(person) >= DIFFERENT_MIN and person in folded):
        raise _unsuitable("it contains the sign-in name")
    return normal


def _unsuitable(why: str) -> HomeportError:
    return HomeportError(Code.PASSWORD_UNSUITABLE, why)
