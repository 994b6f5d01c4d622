# SPDX-License-Identifier: Apache-2.0
"""Upstreams: the systems that devices are provisioned for, and how one is chosen.

Rules for choosing among several upstreams come with the edges; until then the upstream that
is named with the owner is used, else the tenant's default.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

OURS: Final = "here"
"""Name of the upstream that every platform has: its own broker."""


class UpstreamKind(StrEnum):
    """What an upstream is to us."""

    OURS = "ours"  # this platform's broker
    PLATFORM = "platform"  # another Homeport: the device is redirected there, with a voucher


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A system that devices are provisioned for."""

    name: str
    kind: UpstreamKind
    url: str | None = None
    """Base URL of the other platform; None for ours."""
    anchor: bytes | None = None
    """The other platform's domain certificate (DER), which vouchers must pin; None for ours."""
    added_at: datetime
