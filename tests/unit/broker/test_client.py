# SPDX-License-Identifier: Apache-2.0
"""A cancellation that comes together with the broker's answer."""

import asyncio
from collections.abc import Awaitable, Callable

import nats.aio.client
import pytest

from fakes.in_loop import in_loop
from homeport.broker.client import Client

ASKED: list[Callable[[Client], Awaitable[object]]] = [
    lambda client: client.request("subject"),
    lambda client: client.flush(),
    lambda client: client.jetstream().publish("subject", stream="S"),
]


@pytest.mark.parametrize("ask", ASKED)
@in_loop
async def test_a_cancellation_is_heard_though_the_answer_came(
    ask: Callable[[Client], Awaitable[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def forgetful(*_: object, **__: object) -> None:
        """As Python 3.11's `wait_for` when both come at once."""
        asked.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            return

    for name in ("request", "flush"):
        monkeypatch.setattr(nats.aio.client.Client, name, forgetful)
    task = asyncio.get_running_loop().create_task(ask_and_go_on(ask))
    await asked.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def ask_and_go_on(ask: Callable[[Client], Awaitable[object]]) -> None:
    await ask(Client())
    pytest.fail("it went on")
