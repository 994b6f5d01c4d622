# SPDX-License-Identifier: Apache-2.0
"""Names of new rows."""

import random
from datetime import datetime


def new_id(now: datetime) -> str:
    """Return a new id that grows with time, so that new rows lie together in the index.

    It names a row and is no secret, so it needs no randomness of the system's.
    """
    return f"{int(now.timestamp() * 1000):012x}{random.getrandbits(80):020x}"
