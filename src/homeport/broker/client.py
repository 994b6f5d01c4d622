# SPDX-License-Identifier: Apache-2.0
"""The NATS client, made to hear that it is cancelled.

nats-py waits by `asyncio.wait_for`, which in Python 3.11 forgets a cancellation that comes in the
same moment as the answer (python/cpython#86296): whoever asks the broker in a loop would never end.
"""

import asyncio
from typing import Any

from nats.aio import client
from nats.aio.msg import Msg


def heed_cancellation() -> None:
    """Raise CancelledError if somebody asked for it and was not heard."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Client(client.Client):
    """nats-py's; JetStream's calls are requests, too."""

    async def request(self, *args: Any, **options: Any) -> Msg:
        """Ask, and wait for the answer."""
        answer = await super().request(*args, **options)
        heed_cancellation()
        return answer

    async def flush(self, *args: Any, **options: Any) -> None:
        """Wait until the broker has all that was sent."""
        await super().flush(*args, **options)
        heed_cancellation()
