# SPDX-License-Identifier: Apache-2.0
"""Random secrets that are shown once: sessions, API keys, invitations.

256 bits cannot be guessed, so what is kept is their plain SHA-256: no salt, no delay.
"""

import hashlib
import secrets


def new_token() -> str:
    """Return 256 random bits as 43 characters for URLs and cookies."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return what is kept of a token: SHA-256, hex. Any text has one, also what is no token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
