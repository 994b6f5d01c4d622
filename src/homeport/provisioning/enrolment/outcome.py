# SPDX-License-Identifier: Apache-2.0
"""What came of an enrolment request: where the run stands, and what the device gets."""

from dataclasses import dataclass

from homeport.domain.credential import Credential
from homeport.domain.device import Device
from homeport.domain.enrolment import Enrolment
from homeport.domain.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Outcome:
    """The request stands; the run's state says what the device is told."""

    device: Device
    run: Enrolment
    credential: Credential | None = None
    """Present in the states `issued` and `operational`."""
    redirection: "Redirection | None" = None
    """Present in the state `redirected`."""


@dataclass(frozen=True, slots=True)
class Redirection:
    """Where the device belongs, and the paper that makes it believe it."""

    upstream: Upstream
    voucher: bytes
    epoch: int
