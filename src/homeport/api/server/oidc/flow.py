# SPDX-License-Identifier: Apache-2.0
"""One sign-in on its way to the provider and back, kept in the browser alone.

A cookie holds 256 random bits; `state`, `nonce` and the PKCE verifier follow from them. So whoever
comes back with an answer must be the very browser that was sent out (no login CSRF, RFC 6749
section 10.12), an answer for one browser is of no use in another (nonce), a stolen code cannot be
redeemed (RFC 7636), and strangers who begin and never come back cost the platform nothing. The
platform's seal keeps others from making up a flow that nobody began here: one that links needs the
present password first.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from homeport.clock import Clock
from homeport.domain.tokens import new_token

LIFETIME: Final = timedelta(minutes=10)
"""For a person to show a password and a second factor at the provider."""

_SHAPE: Final = re.compile(
    r"(?P<seed>[A-Za-z0-9_-]{43})\.(?P<session>[0-9a-f]{0,64})\.(?P<invitation>[A-Za-z0-9_-]{0,100})"
    r"\.(?P<until>[0-9]{1,12})\.(?P<seal>[0-9a-f]{64})"
)
_PURPOSE: Final = b"homeport sign-in at the provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What is remembered of a sign-in that was begun."""

    seed: str
    session: str = ""
    """Id of the session that showed presence, whose account is to be linked; empty: to sign in."""
    invitation: str = ""
    """Code to be accepted on coming back."""

    @classmethod
    def begin(cls, *, session: str = "", invitation: str = "") -> Self:
        """Begin one, with secrets of its own."""
        return cls(seed=new_token(), session=session, invitation=invitation)

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


class Flows:
    """Writes flows into cookies and reads them back; nobody else can make one."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        """Take a secret of the platform; the key is derived from it for this purpose only."""
        self._key: Final = hmac.digest(secret, _PURPOSE, "sha256")
        self._clock = clock

    def write(self, flow: Flow) -> str:
        """Return the value of the cookie, good for `LIFETIME`."""
        until = int((self._clock.now() + LIFETIME).timestamp())
        said = f"{flow.seed}.{flow.session}.{flow.invitation}.{until}"
        return f"{said}.{self._seal(said)}"

    def read(self, cookie: str | None) -> Flow | None:
        """Read what `write` wrote; None for anything else, and when its time is over."""
        found = _SHAPE.fullmatch(cookie or "")
        if cookie is None or found is None:
            return None
        said, _, seal = cookie.rpartition(".")
        if not hmac.compare_digest(seal.encode(), self._seal(said).encode()):
            return None
        if int(found["until"]) <= self._clock.now().timestamp():
            return None
        return Flow(seed=found["seed"], session=found["session"], invitation=found["invitation"])

    def _seal(self, said: str) -> str:
        return hmac.digest(self._key, said.encode(), "sha256").hex()


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
