# SPDX-License-Identifier: Apache-2.0
"""A tenant: an organisation (or one person) that owns devices.

Its members and their roles are in `membership.py`; they hang on the tenant's name.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeport.errors import MalformedError

NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
"""Names of tenants and upstreams are a level of MQTT topics and stand in URLs: DNS label shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Who owns devices."""

    name: str
    title: str
    """As people write it."""
    default_upstream: str
    """Name of the upstream for devices whose sales record names none."""
    added_at: datetime


def check_name(name: str, what: str) -> str:
    """Return the name, or refuse it with an explanation (MalformedError)."""
    if not NAME.fullmatch(name):
        raise MalformedError(
            f"{what} {name[:60]!r}: use 1 to 40 of a-z, 0-9 and - (not at the ends)"
        )
    return name
