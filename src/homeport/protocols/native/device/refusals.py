# SPDX-License-Identifier: Apache-2.0
"""What a refusal says [4.4]: RFC 9457 problems as our own errors.

A problem is not signed, so it makes a device wait or say why, and never forget anything. Its text
comes from outside: it is cut, and what does not print is taken out.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from homeport.errors import CATALOGUE, Code, HomeportError, Kind, MalformedError
from homeport.protocols.native.wire import Problem, read_problem

TEXT_LIMIT: Final = 300
"""Characters of a foreign title or advice that are shown."""
RETRY_MAX: Final = timedelta(hours=1)
"""Longest wait that an unsigned answer can impose: a forged one must not silence a device."""

_KINDS: Final[Mapping[int, Kind]] = {
    400: Kind.MALFORMED,
    401: Kind.UNPROVEN,
    403: Kind.REFUSED,
    404: Kind.UNKNOWN,
    408: Kind.MALFORMED,
    409: Kind.CONFLICT,
    413: Kind.MALFORMED,
    429: Kind.THROTTLED,
    503: Kind.UNAVAILABLE,
}


class PlatformRefusalError(HomeportError):
    """The platform's refusal, in its words where its code is not in our catalogue."""

    def __init__(self, status: int, problem: Problem, retry_after: timedelta | None) -> None:
        """Take the HTTP status and what the body said."""
        known = problem.code in set(Code)
        super().__init__(
            Code(problem.code) if known else Code.PLATFORM_REFUSED,
            f"the platform said {status} {printable(problem.code)}".rstrip(),
            retry_after=retry_after,
        )
        self.status = status
        self.platform_code = printable(problem.code) or f"http-{status}"
        """The code as the platform wrote it, also one that a later version brings."""
        self._kind = _kind(status)
        self._title = "" if known else printable(problem.title)
        self._advice = "" if known else printable(problem.advice)

    @property
    def kind(self) -> Kind:
        """The sort of failure, by HTTP status: so it holds for unknown codes too."""
        return self._kind

    @property
    def title(self) -> str:
        """The failure in a sentence: ours for a known code, else the platform's."""
        return self._title or CATALOGUE[self.code].title

    @property
    def advice(self) -> str:
        """What to do next."""
        return self._advice or CATALOGUE[self.code].advice


def read_refusal(status: int, body: bytes, retry_after: str | None = None) -> PlatformRefusalError:
    """Read an answer other than 200: its status, its body, and its `Retry-After` in seconds.

    A body that is no problem document is passed over: the status alone then says what kind it is.
    """
    try:
        problem = read_problem(body)
    except MalformedError:
        problem = Problem()
    seconds = problem.retry_after
    if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
        # Ten digits are 300 years; `timedelta` refuses much more.
        seconds = int(retry_after[:10])
    wait = None if seconds is None else min(timedelta(seconds=min(seconds, 10**9)), RETRY_MAX)
    return PlatformRefusalError(status, problem, wait)


def _kind(status: int) -> Kind:
    if status in _KINDS:
        return _KINDS[status]
    return Kind.MALFORMED if 400 <= status < 500 else Kind.UNAVAILABLE  # noqa: PLR2004


def printable(text: str) -> str:
    """Cut a foreign text, and take out what could command a terminal or break a log line."""
    return "".join(c for c in text[:TEXT_LIMIT] if c.isprintable())
