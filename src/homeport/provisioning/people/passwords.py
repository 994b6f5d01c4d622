# SPDX-License-Identifier: Apache-2.0
"""Passwords, hashed with argon2id (RFC 9106), away from the event loop.

Rules: an account that is not there, or has no password, costs the same time as a wrong password; at
most `AT_ONCE` hashes are made at the same time and few wait, so that a crowd of guesses takes
neither all memory (64 MiB each) nor all processors.
"""

import asyncio
import base64
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from argon2.profiles import RFC_9106_LOW_MEMORY

from homeport.errors import Code, HomeportError

Result = TypeVar("Result")

AT_ONCE: Final = 2
"""Passwords that are checked at the same time: 128 MiB. One more is chosen meanwhile."""

WAITING_MAX: Final = 50
"""Who waits for a hash; more would wait for longer than ten seconds."""

CHOOSING_MAX: Final = 10
"""Who chooses a password at the same time. They wait apart: nobody's sign-in is held up by them."""

_RETRY_AFTER: Final = timedelta(seconds=10)


class Passwords:
    """Makes and checks hashes in threads of its own. Verbs take the hash, never the password."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Hash with the parameters of RFC 9106 section 4 for ordinary machines, or with these."""
        self._checking = _Desk(AT_ONCE, WAITING_MAX)
        self._choosing = _Desk(1, CHOOSING_MAX)
        self._hasher: Final = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._nobodys: Final = _hash_of_nothing(self._hasher)

    async def hash(self, password: str) -> str:
        """Return the hash in PHC form, with a salt of its own."""
        return await self._choosing.do(lambda: self._hasher.hash(password))

    async def is_right(self, password_hash: str | None, password: str) -> bool:
        """Say whether the password fits; without a hash it never does, after the same time."""
        return await self._checking.do(lambda: self._fits(password_hash, password))

    def is_weak(self, password_hash: str) -> bool:
        """Say whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Let the threads end."""
        self._checking.close()
        self._choosing.close()

    def _fits(self, password_hash: str | None, password: str) -> bool:
        try:
            self._hasher.verify(password_hash or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None


class _Desk:
    """Threads, and who waits for one."""

    def __init__(self, at_once: int, waiting_max: int) -> None:
        """Take how much is done at the same time, and how many may be at it or wait."""
        self._threads: Final = ThreadPoolExecutor(at_once, thread_name_prefix="passwords")
        self._waiting, self._waiting_max = 0, waiting_max

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown()

    async def do(self, work: Callable[[], Result]) -> Result:
        """Do it as soon as a thread is free; TOO_MANY_REQUESTS if too many wait."""
        if self._waiting >= self._waiting_max:
            raise HomeportError(
                Code.TOO_MANY_REQUESTS,
                "many people show or choose passwords",
                retry_after=_RETRY_AFTER,
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """Return a hash that no password has, in PHC form: to check one against it costs the same."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (hasher.salt_len, hasher.hash_len)
    )
    parameters = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${parameters}${salt}${digest}"
