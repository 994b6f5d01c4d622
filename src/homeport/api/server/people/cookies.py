# SPDX-License-Identifier: Apache-2.0
"""The cookies of the people's door.

`__Host-` (RFC 6265bis section 4.1.3.2) makes the browser insist on HTTPS, on this very host and on
the path `/`: no neighbouring host and no plain connection can plant or read one. No script reads
them (HttpOnly). SameSite=Lax: another site's forms and scripts never send them; a link, and the way
back from an OpenID provider, do, and only ever read.
"""

from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

SESSION: Final = "__Host-homeport-session"
BROWSER: Final = "__Host-homeport-browser"
"""Says that somebody signed in from this browser before: it has tries of its own."""
PROVIDER: Final = "__Host-homeport-provider"
"""Holds the secrets of a sign-in that is on its way to the OpenID provider and back."""

VALUE_MAX: Final = 512
"""Characters of a value that is looked at."""


def read(request: Request, name: str) -> str | None:
    """Return the value of a cookie; None if there is none, or it cannot be ours."""
    value = request.cookies.get(name)
    return value if value and len(value) <= VALUE_MAX else None


def give(response: Response, name: str, value: str, lifetime: timedelta | None = None) -> None:
    """Set a cookie, until the browser closes or for a time."""
    response.set_cookie(
        name,
        value,
        max_age=int(lifetime.total_seconds()) if lifetime else None,
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )


def take(response: Response, name: str) -> None:
    """Have the browser forget a cookie."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
