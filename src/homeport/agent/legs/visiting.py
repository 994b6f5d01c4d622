# SPDX-License-Identifier: Apache-2.0
"""One visit at a platform, on one connection: prove it, greet it, ask it.

The blocking exchange runs in a thread; when the agent turns to something else the connection is
cut, which ends the thread. A platform whose certificate "begins later than now" shows that the
clock is behind: it is asked again without dates.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar

from homeport.agent.memory.logbook import Logbook
from homeport.agent.platforms import Approach, Platforms
from homeport.agent.threads import to_its_end
from homeport.agent.timekeeping import Timekeeper
from homeport.errors import Code, MalformedError
from homeport.protocols.native.device import (
    ClockBehindError,
    PlatformConnection,
    PlatformRefusalError,
    SignedRequest,
    TimeSense,
)
from homeport.protocols.native.wire import AnyAnswer, Greeting

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

Sign = Callable[[Greeting, str], SignedRequest]
"""Makes a request from the greeting and the nonce to use; blocks, for keys in tokens."""

NONCE_TRIES: Final = 2
"""A nonce that is too old is common; twice in a row it is something else."""


@dataclass
class Visit:
    """A platform that proved itself, and the connection to it."""

    approach: Approach
    greeting: Greeting
    connection: PlatformConnection
    timekeeper: Timekeeper
    logbook: Logbook
    nonce: str = field(init=False)
    """For the next request."""

    def __post_init__(self) -> None:
        """Begin with the greeting's nonce."""
        self.nonce = self.greeting.nonce

    async def ask(self, url: str, sign: Sign, wait: int = 0) -> AnyAnswer:
        """Sign and send a request, and return the verified answer; its time is learnt.

        Raise PlatformRefusalError and what `PlatformConnection` raises.
        """
        for tries_left in reversed(range(NONCE_TRIES)):
            try:
                answer = await self._ask_once(url, sign, wait)
            except PlatformRefusalError as error:
                if error.code is not Code.NONCE_WRONG or not tries_left:
                    raise
                self.greeting = await in_thread(self.connection, self.connection.greet)
                self.nonce = self.greeting.nonce
            else:
                learnt = self.timekeeper.learn(read_instant(answer.time))
                self.logbook.keep_time(learnt, is_home=self.approach.is_home)
                return answer
        raise AssertionError("unreachable")

    async def _ask_once(self, url: str, sign: Sign, wait: int) -> AnyAnswer:
        request = await to_its_end(sign, self.greeting, self.nonce)
        return await in_thread(self.connection, self.connection.post, url, request, wait)


@asynccontextmanager
async def visiting(
    approach: Approach, platforms: Platforms, timekeeper: Timekeeper, logbook: Logbook
) -> AsyncIterator[Visit]:
    """Connect to an address, let the platform prove itself, and take its greeting.

    Raise PLATFORM_UNREACHABLE, PLATFORM_UNPROVEN, PLATFORM_ABSENT.
    """
    route = platforms.route(approach)
    sense = TimeSense(timekeeper.floor, timekeeper.trusted_now())
    connection = PlatformConnection(route, approach.trust, sense)
    try:
        try:
            greeting = await in_thread(connection, connection.greet)
        except ClockBehindError as error:
            logger.warning("%s: %s; asking without dates", approach, error)
            timekeeper.is_doubted = True
            sense = TimeSense(timekeeper.floor, None)
            connection = PlatformConnection(route, approach.trust, sense)
            greeting = await in_thread(connection, connection.greet)
        yield Visit(approach, greeting, connection, timekeeper, logbook)
    finally:
        connection.close()


def read_instant(seconds: int) -> datetime:
    """Read a signed time; raise MalformedError for one beyond the year 9999."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        raise MalformedError(f"a time of {seconds} s") from None


async def in_thread(
    connection: PlatformConnection, call: Callable[..., Result], *arguments: object
) -> Result:
    """Run a blocking call of the connection; when cancelled, cut the connection."""
    try:
        return await asyncio.to_thread(call, *arguments)
    except asyncio.CancelledError:
        connection.abort()
        raise
