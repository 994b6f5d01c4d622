# SPDX-License-Identifier: Apache-2.0
"""Keep other sites' pages from acting in the name of who is signed in here (CSRF).

What a browser sends along by itself (a cookie) is no proof that our page sent it. So an unsafe
request with a cookie also brings a token in a header, which only our page can read and no form can
send, and must not say that it comes from elsewhere (Origin, Sec-Fetch-Site; OWASP's cheat sheet on
CSRF calls this defence in depth). The token follows from the session's, so that there is nothing to
keep, and ends with it. API keys need none of this: no browser sends them by itself.
"""

import hashlib
import hmac
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from homeport.errors import Code, HomeportError

HEADER: Final = "x-csrf-token"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""RFC 9110 section 9.2.1; no handler of ours changes anything on one of these."""

_PURPOSE: Final = b"homeport cross-site token"
_OURS: Final = frozenset({"same-origin", "none"})


def token_for(session_token: str) -> str:
    """Return the token that pages of this session send."""
    return hmac.digest(session_token.encode(), _PURPOSE, hashlib.sha256).hex()


def demand_same_site(request: Request) -> None:
    """Refuse what another site's page sends (CROSS_SITE). Programs send no such headers."""
    origin = request.headers.get("origin")
    if origin is not None and not _is_here(origin, request):
        raise HomeportError(Code.CROSS_SITE, f"from {origin[:100]}")
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in _OURS:
        raise HomeportError(Code.CROSS_SITE, f"Sec-Fetch-Site: {site[:20]}")


def demand_own_page(request: Request, session_token: str) -> None:
    """Refuse an unsafe request that a page of this session did not send (CROSS_SITE)."""
    if request.method in SAFE:
        return
    demand_same_site(request)
    given = request.headers.get(HEADER, "")
    if not hmac.compare_digest(given.encode(), token_for(session_token).encode()):
        raise HomeportError(Code.CROSS_SITE, "X-CSRF-Token is missing or wrong")


def _is_here(origin: str, request: Request) -> bool:
    # The host that the browser asked for: no page of another site can change that header. A name
    # that was bound anew to our address (DNS rebinding) has no cookie of ours.
    return urlsplit(origin).netloc == request.headers.get("host") and origin.startswith("https://")
