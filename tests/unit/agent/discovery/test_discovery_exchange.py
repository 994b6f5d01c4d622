# SPDX-License-Identifier: Apache-2.0
"""Asking over UDP: repeated with growing waits, bounded, deaf to noise. On loopback sockets."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest

from homeport.agent.discovery.exchange import MAX_DATAGRAMS, Timing, ask
from homeport.errors import MalformedError

QUICK = Timing(first_wait=timedelta(milliseconds=20), patience=timedelta(milliseconds=300))
PATIENT = Timing(first_wait=timedelta(milliseconds=20), patience=timedelta(seconds=30))


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
    ):
        for sock in (ours, server):
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(0)
        yield ours, server


def read(datagram: bytes) -> str | None:
    if datagram == b"broken":
        raise MalformedError("broken on purpose")
    return None if datagram == b"foreign" else datagram.decode()


async def answer(server: socket.socket, *, on: int, with_: list[bytes]) -> list[bytes]:
    """Collect requests; send the answers on the `on`-th."""
    loop = asyncio.get_running_loop()
    requests = []
    while True:
        request, sender = await loop.sock_recvfrom(server, 100)
        requests.append(request)
        if len(requests) == on:
            for datagram in with_:
                await loop.sock_sendto(server, datagram, sender)
            return requests


def test_a_lost_request_is_repeated(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, server = ends
    elapsed: list[timedelta] = []

    async def run() -> tuple[str | None, list[bytes]]:
        def request(since: timedelta) -> bytes:
            elapsed.append(since)
            return b"request"

        async with asyncio.TaskGroup() as group:
            answering = group.create_task(answer(server, on=3, with_=[b"yes"]))
            found = await ask(ours, server.getsockname(), request, read, PATIENT)
        return found, answering.result()

    assert asyncio.run(run()) == ("yes", [b"request"] * 3)
    # The second wait is at least 1.6 times the first: doubled, with ten per cent either way.
    first, second = elapsed[1] - elapsed[0], elapsed[2] - elapsed[1]
    assert elapsed[0] < timedelta(milliseconds=18) <= first
    assert second >= timedelta(milliseconds=36)


def test_foreign_and_broken_answers_are_passed_over(
    ends: tuple[socket.socket, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    ours, server = ends

    async def run() -> str | None:
        datagrams = [b"foreign", b"broken", b"yes", b"too late"]
        async with asyncio.TaskGroup() as group:
            group.create_task(answer(server, on=1, with_=datagrams))
            return await ask(ours, server.getsockname(), lambda _: b"request", read, PATIENT)

    assert asyncio.run(run()) == "yes"
    assert "broken on purpose" in caplog.text


def test_patience_ends(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, server = ends
    request = asyncio.run(ask(ours, server.getsockname(), lambda _: b"request", read, QUICK))
    assert request is None


def test_a_flood_ends_the_exchange(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, server = ends

    async def run() -> str | None:
        flood = [b"foreign"] * MAX_DATAGRAMS
        async with asyncio.TaskGroup() as group:
            group.create_task(answer(server, on=1, with_=flood))
            return await ask(ours, server.getsockname(), lambda _: b"request", read, PATIENT)

    assert asyncio.run(asyncio.wait_for(run(), 20)) is None


def test_a_network_that_refuses_is_told(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = ends
    with pytest.raises(OSError, match=r"Permission denied|unreachable"):
        asyncio.run(ask(ours, ("255.255.255.255", 9), lambda _: b"request", read, QUICK))
