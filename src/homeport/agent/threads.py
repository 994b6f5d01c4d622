# SPDX-License-Identifier: Apache-2.0
"""Blocking work in a thread that is never left behind.

Key stores block. If the agent turns to something else meanwhile (a reset, the end), the thread
would go on by itself: a key made after the reset had deleted "all" would stay for ever. So whoever
is cancelled waits for its thread first. The state on disk is written in the event loop only.
"""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


async def to_its_end(
    work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Run `work` in a thread and return its result; when cancelled, wait for it first."""
    running = asyncio.get_running_loop().run_in_executor(None, lambda: work(*args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise
