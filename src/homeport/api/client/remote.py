# SPDX-License-Identifier: Apache-2.0
"""A people's door on the network: HTTPS, with an API key."""

import ssl
from types import TracebackType
from typing import Final, Self

import httpx

from homeport.api.client.transport import Answer, Request
from homeport.errors import Code, HomeportError, MalformedError

CONNECT_SECONDS: Final = 10.0
"""A network that needs longer for TCP and TLS is down."""

ANSWER_SECONDS: Final = 300.0
"""For one answer: the import of a million devices takes a minute."""


class Remote:
    """The port `Transport` over HTTPS; trusts the anchors given and no other, if any are."""

    def __init__(
        self, url: str, key: str, anchors: str | None = None, *, address: str | None = None
    ) -> None:
        """Take the platform's base URL, an API key, and the roots of its certificate (PEM).

        `address` is the base URL at which it is found where its name has no address; its
        certificate must be for the name all the same. MalformedError unless both are `https`: the
        key opens as much as a password.
        """
        _demand_https(url)
        if address is not None:
            _demand_https(address)
        named = httpx.URL(url)
        self._extensions = {"sni_hostname": named.host}
        self._host = named.netloc.decode("ascii")
        self._client = httpx.Client(
            base_url=address or url,
            verify=ssl.create_default_context(cadata=anchors),
            headers={"authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        """Keep the connection for several requests."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self._client.close()

    def send(self, request: Request) -> Answer:
        """Ask; PLATFORM_UNREACHABLE, or PLATFORM_UNPROVEN if its certificate is not trusted."""
        try:
            answer = self._client.request(
                request.method,
                request.target,
                content=request.body,
                headers={**request.headers, "host": self._host},
                extensions=self._extensions,
            )
        except httpx.TransportError as error:
            raise _explained(error) from error
        return Answer(status=answer.status_code, headers=dict(answer.headers), body=answer.content)


def _demand_https(url: str) -> None:
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        parts = httpx.URL()
    if parts.scheme != "https" or not parts.host:
        detail = f"url {url[:100]!r}: https://name:8443 is meant; without TLS no API key is sent"
        raise MalformedError(detail)


def _explained(error: httpx.TransportError) -> HomeportError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return HomeportError(Code.PLATFORM_UNPROVEN, cause.verify_message)
        cause = cause.__cause__ or cause.__context__
    return HomeportError(Code.PLATFORM_UNREACHABLE, str(error) or type(error).__name__)
