# SPDX-License-Identifier: Apache-2.0
"""Running a verb to its end at once: it awaits nothing but its transaction, which never waits."""

from collections.abc import Awaitable
from typing import TypeVar

Result = TypeVar("Result")


def drive(verb: Awaitable[Result]) -> Result:
    """Run the verb, which awaits nothing but its transaction, and return its result.

    A verb that waits for something else (a network, a timer) would hold up every writer: that is a
    RuntimeError, and its work is undone.
    """
    steps = verb.__await__()
    try:
        awaited = next(steps)
    except StopIteration as end:
        result: Result = end.value
        return result
    getattr(steps, "close", lambda: None)()
    raise RuntimeError(f"a verb may await its transaction only; this one waits for {awaited!r}")
