# SPDX-License-Identifier: Apache-2.0
"""Asking over UDP until one acceptable answer arrives or patience ends.

The timing is that of RFC 8415 section 15 (first wait 1 s, doubling, ±10 %), bounded as a whole.
RFC 2131 section 4.1 wants doubling with jitter as well and suggests 4 s as the first wait, for
clients that look for any server at all: ours has a lease already, so its server is near.
"""

import asyncio
import logging
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar

from homeport.errors import MalformedError

logger = logging.getLogger(__name__)

FIRST_WAIT: Final = timedelta(seconds=1)
"""RFC 8415 section 7.6, INF_TIMEOUT."""

PATIENCE: Final = timedelta(seconds=4)
"""Three requests (at 0, 1 and 3 s) fit; with 5 % loss each way one exchange in 1,000 fails."""

MAX_DATAGRAMS: Final = 256
"""Answers looked at in one exchange: a neighbour that floods us ends the exchange, not us."""

MAX_DATAGRAM_SIZE: Final = 4096
"""Bytes. DHCP servers are asked to fit one Ethernet frame; the rest of a longer one is cut off."""

_JITTER: Final = 0.1  # RFC 8415 section 15: RAND lies between -0.1 and +0.1

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Timing:
    """How long to wait: for the first answer (doubles each time), and altogether."""

    first_wait: timedelta = FIRST_WAIT
    patience: timedelta = PATIENCE


async def ask(
    sock: socket.socket,
    destination: tuple[Any, ...],
    request: Callable[[timedelta], bytes],
    read: Callable[[bytes], Answer | None],
    timing: Timing,
    *,
    listener: socket.socket | None = None,
) -> Answer | None:
    """Send `request(elapsed)`, again and again, until `read(datagram)` accepts an answer.

    Answers are taken from `listener`, or from the sending socket where there is none.
    `read` returns None for datagrams that answer somebody else, and raises MalformedError for
    broken ones: both are passed over, so that a rogue's answer cannot shut out a good one.
    Returns None when patience ends. Raises OSError when the network refuses to send.
    """
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(timing.patience.total_seconds()), asyncio.TaskGroup() as group:
            sender = group.create_task(
                _send(sock, destination, request, began, timing.first_wait),
                name="discovery-request",
            )
            answer = await _receive(listener or sock, read)
            sender.cancel()
            return answer
    except TimeoutError:
        return None
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures


async def _send(
    sock: socket.socket,
    destination: tuple[Any, ...],
    request: Callable[[timedelta], bytes],
    began: float,
    first_wait: timedelta,
) -> None:
    loop = asyncio.get_running_loop()
    wait = first_wait.total_seconds()
    while True:
        elapsed = timedelta(seconds=loop.time() - began)
        await loop.sock_sendto(sock, request(elapsed), destination)
        # Not a secret: jitter only keeps devices from speaking in chorus.
        await asyncio.sleep(wait * (1 + random.uniform(-_JITTER, _JITTER)))  # noqa: S311
        wait *= 2


async def _receive(sock: socket.socket, read: Callable[[bytes], Answer | None]) -> Answer | None:
    loop = asyncio.get_running_loop()
    for _ in range(MAX_DATAGRAMS):
        datagram = await loop.sock_recv(sock, MAX_DATAGRAM_SIZE)
        try:
            answer = read(datagram)
        except MalformedError as error:
            logger.warning("an answer was passed over: %s", error.detail)
            continue
        if answer is not None:
            return answer
    logger.warning("gave up after %d datagrams that were no answer", MAX_DATAGRAMS)
    return None
