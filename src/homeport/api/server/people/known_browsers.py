# SPDX-License-Identifier: Apache-2.0
"""Browsers from which somebody signed in before: strangers' guesses do not slow them down.

After a sign-in the browser gets a cookie that says "this browser was let in as this account",
signed by the platform. It lets nobody in: the password is still asked. It only gives the browser
tries of its own, so that however many strangers guess, the person at the usual computer gets in. A
new password makes all such cookies void.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Final

from homeport.domain.account import Account

LIFETIME: Final = timedelta(days=180)

_PURPOSE: Final = b"homeport known browser"


class KnownBrowsers:
    """Makes and checks these cookies, without keeping any."""

    def __init__(self, secret: bytes) -> None:
        """Take a secret of the platform; the key is derived from it for this purpose only."""
        self._key: Final = hmac.digest(secret, _PURPOSE, hashlib.sha256)

    def introduce(self, account: Account) -> str:
        """Return the cookie's value for a browser that was let in."""
        browser = secrets.token_hex(16)
        return f"{browser}.{self._sign(browser, account)}"

    def browser_in(self, cookie: str | None, account: Account | None) -> str | None:
        """Return which browser of the account it is; None if it is none."""
        if cookie is None or account is None:
            return None
        browser, _, signature = cookie.partition(".")
        right = self._sign(browser, account)
        return browser if hmac.compare_digest(signature.encode(), right.encode()) else None

    def _sign(self, browser: str, account: Account) -> str:
        said = "\n".join((browser, account.id, account.password_hash or ""))
        return hmac.digest(self._key, said.encode(), hashlib.sha256).hex()
