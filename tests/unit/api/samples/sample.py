# SPDX-License-Identifier: Apache-2.0
"""What a sample is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fakes.people_door import OPERATOR
from homeport.domain.people import Caller
from homeport.provisioning.ports import Transaction


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A request that its rightful caller is granted."""

    path: Mapping[str, str] = field(default_factory=dict)
    """Values for the braces."""
    query: Mapping[str, str] = field(default_factory=dict)
    said: Any = None
    """Sent as JSON."""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    caller: Caller = OPERATOR
    """Who gets what is asked for."""
    status: int = 200
    given: Callable[[Transaction], Awaitable[object]] | None = None
    """What has to be there besides what every walk begins with (`devices.fill`)."""
    anybody_may: bool = False
    """It is no tenant's affair but the platform's or the caller's own: strangers may, too."""
