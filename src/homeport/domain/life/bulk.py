# SPDX-License-Identifier: Apache-2.0
"""What came of one thing that was done to many devices, device by device."""

from dataclasses import dataclass
from enum import StrEnum

from homeport.domain.device import DeviceId
from homeport.errors import Code


class Came(StrEnum):
    """What came of it for one device."""

    DONE = "done"
    WOULD_BE_DONE = "would-be-done"  # a dry run
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """One device's."""

    device: DeviceId
    came: Came
    code: Code | None = None
    """Why it was refused."""
    detail: str = ""
