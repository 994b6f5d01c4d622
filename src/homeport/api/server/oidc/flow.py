# SPDX-License-Identifier: Apache-2.0
"""One sign-in on its way to the provider and back, kept in the browser alone.

A cookie holds 256 random bits; `state`, `nonce` and the PKCE verifier follow from them. So whoever
comes back with an answer must be the very browser that was sent out (no login CSRF, RFC 6749
section 10.12), an answer for one browser is of no use in another (nonce), a stolen code cannot be
redeemed (RFC 7636), and strangers who begin and never come back cost the platform nothing.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from homeport.domain.tokens import new_token

LIFETIME: Final = timedelta(minutes=10)
"""For a person to show a password and a second factor at the provider."""

_SHAPE: Final = re.compile(r"([A-Za-z0-9_-]{43})\.([a-z0-9]{0,40})\.([A-Za-z0-9_-]{0,100})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What is remembered of a sign-in that was begun."""

    seed: str
    link: str = ""
    """Id of the account that is to be linked; empty: to sign in."""
    invitation: str = ""
    """Code to be accepted on coming back."""

    @classmethod
    def begin(cls, *, link: str = "", invitation: str = "") -> Self:
        """Begin one, with secrets of its own."""
        return cls(seed=new_token(), link=link, invitation=invitation)

    @classmethod
    def read(cls, cookie: str | None) -> Self | None:
        """Read what `written` wrote; None for anything else."""
        found = _SHAPE.fullmatch(cookie or "")
        return cls(seed=found[1], link=found[2], invitation=found[3]) if found else None

    def written(self) -> str:
        """Return the value of the cookie."""
        return f"{self.seed}.{self.link}.{self.invitation}"

    @property
    def state(self) -> str:
        """What the provider brings back in the address."""
        return self._derived(b"state")

    @property
    def nonce(self) -> str:
        """What the provider signs into the ID token."""
        return self._derived(b"nonce")

    @property
    def verifier(self) -> str:
        """The PKCE code verifier, told to the provider's token endpoint only."""
        return self._derived(b"verifier")

    @property
    def challenge(self) -> str:
        """The PKCE code challenge (S256), told at the beginning."""
        return _base64url(hashlib.sha256(self.verifier.encode()).digest())

    def _derived(self, purpose: bytes) -> str:
        return _base64url(hmac.digest(self.seed.encode(), b"homeport oidc " + purpose, "sha256"))


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
