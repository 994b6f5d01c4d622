# SPDX-License-Identifier: Apache-2.0
"""One visit at a platform: greeting, request, long polls, all on one TLS connection [2, 3, 4].

Blocking, on the standard library's `http.client` (a device has no memory to spare for more);
`abort` ends it from another thread. Redirects of HTTP are not followed: they are not ours.
"""

import http.client
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from homeport.errors import Code, HomeportError, MalformedError
from homeport.protocols.native.device.answers import read_signed_answer
from homeport.protocols.native.device.refusals import read_refusal
from homeport.protocols.native.device.requests import SignedRequest
from homeport.protocols.native.device.transport import (
    Route,
    TlsConnection,
    unreachable,
)
from homeport.protocols.native.device.trust import PlatformTrust, TimeSense
from homeport.protocols.native.wire import (
    ANSWER_MAX_BYTES,
    GREETING_PATH,
    JWS_MEDIA_TYPE,
    VERSION,
    AnyAnswer,
    Greeting,
    read_greeting,
)

OPEN_TIMEOUT: Final = 15.0
"""Seconds to connect and shake hands: through a second of delay and some losses."""
GREETING_TIMEOUT: Final = 10.0
ANSWER_TIMEOUT: Final = 20.0
"""Seconds beyond the agreed long poll; a platform under load takes some of them."""
GREETING_MAX_BYTES: Final = 16_384
OK: Final = 200


class _Response(NamedTuple):
    status: int
    retry_after: str | None
    body: bytes


class PlatformConnection:
    """One connection to one platform, which it must prove to be before anything is sent."""

    def __init__(self, route: Route, trust: PlatformTrust, sense: TimeSense) -> None:
        """Take the way, whom to expect there, and the time; nothing is opened yet."""
        self.route: Final = route
        self._trust = trust
        self._sense = sense
        self._tls = TlsConnection()
        self._http: http.client.HTTPConnection | None = None

    def open(self) -> None:
        """Connect, unless it is open.

        Raise PLATFORM_UNREACHABLE, PLATFORM_UNPROVEN, ClockBehindError.
        """
        if self._http is None:
            self._tls.open(self.route, self._trust, self._sense, OPEN_TIMEOUT)
            self._http = http.client.HTTPConnection(self.route.host, self.route.port)
            self._http.auto_open = 0  # Never behind our back, and never without TLS.
            self._http.sock = self._tls

    def greet(self) -> Greeting:
        """Ask who the platform is [2].

        Raise PLATFORM_ABSENT if it is none, PLATFORM_UNPROVEN if it speaks for another name, and
        as `open`.
        """
        response = self._request("GET", GREETING_PATH, None, GREETING_TIMEOUT, GREETING_MAX_BYTES)
        if response.status != OK:
            raise HomeportError(Code.PLATFORM_ABSENT, f"it answered {response.status}")
        try:
            greeting = read_greeting(response.body)
        except MalformedError as error:
            raise HomeportError(Code.PLATFORM_ABSENT, error.detail) from None
        if greeting.homeport != VERSION:
            detail = f"it speaks version {greeting.homeport} of the protocol"
            raise HomeportError(Code.PLATFORM_ABSENT, detail)
        for url in (greeting.enrol, greeting.renew):
            self._check_own(url)
        return greeting

    def post(self, url: str, request: SignedRequest, wait: int = 0) -> AnyAnswer:
        """Send a signed request to the greeting's `enrol` or `renew`, and verify the answer.

        `wait` is the long poll agreed on, seconds. Raise PlatformRefusalError,
        PLATFORM_UNPROVEN, MalformedError, and as `open`.
        """
        target = urlsplit(url).path
        timeout = wait + ANSWER_TIMEOUT
        response = self._request("POST", target, request.body, timeout, ANSWER_MAX_BYTES)
        if response.status != OK:
            raise read_refusal(response.status, response.body, response.retry_after)
        return read_signed_answer(response.body, request, self._trust, self._sense)

    def close(self) -> None:
        """End the connection."""
        self._http = None
        self._tls.close()

    def abort(self) -> None:
        """End it from another thread."""
        self._tls.abort()

    def _check_own(self, url: str) -> None:
        # Signing for another host's URL would hand that host's nonce and our request around.
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            host = None
        else:
            if parts.scheme != "https" or not parts.path.startswith("/"):
                host = None
        if host != self._trust.name:
            detail = f"its URL is not of {self._trust.name}"
            raise HomeportError(Code.PLATFORM_UNPROVEN, detail)

    def _request(
        self, method: str, target: str, body: bytes | None, timeout: float, limit: int
    ) -> _Response:
        was_open = self._http is not None
        self.open()
        try:
            return self._exchange(method, target, body, timeout, limit)
        except (ConnectionError, http.client.RemoteDisconnected) as error:
            self.close()
            if not was_open:
                raise unreachable(error) from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise unreachable(error) from None
        # The platform had closed a connection that was idle: once more on a new one.
        return self._request(method, target, body, timeout, limit)

    def _exchange(
        self, method: str, target: str, body: bytes | None, timeout: float, limit: int
    ) -> _Response:
        if self._http is None:
            raise ConnectionError("the connection is closed")
        self._tls.set_timeout(timeout)
        headers = {"Host": self._authority(), "User-Agent": "homeport-agent"}
        if body is not None:
            headers["Content-Type"] = JWS_MEDIA_TYPE
        self._http.request(method, target, body, headers)
        response = self._http.getresponse()
        content = response.read(limit + 1)
        if len(content) > limit:
            raise http.client.HTTPException(f"an answer of more than {limit} bytes")
        if response.will_close:
            self.close()
        return _Response(
            response.status,
            response.headers.get("Retry-After"),
            content,
        )

    def _authority(self) -> str:
        host = f"[{self._trust.name}]" if ":" in self._trust.name else self._trust.name
        return host if self.route.port == http.client.HTTPS_PORT else f"{host}:{self.route.port}"
