# SPDX-License-Identifier: Apache-2.0
"""Waiting for what other processes do, in tests without an event loop."""

import time
from collections.abc import Callable


def wait_until(is_true: Callable[[], object], seconds: float = 10.0) -> None:
    """Return when it is true; TimeoutError after `seconds`."""
    limit = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > limit:
            raise TimeoutError(f"not within {seconds:g} s")
        time.sleep(0.02)
